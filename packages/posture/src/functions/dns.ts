import type { FunctionContext, NamedFunction } from '../named-function.ts';

/**
 * The mail addresses a DMARC record reports to under a tag (`rua`, `ruf`; RFC 7489, section 6.3). A tag that is there
 * twice makes the record ambiguous, so nothing is read from it.
 */
function reportAddresses(record: string, tag: string): string[] {
  const values = record
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part.toLowerCase().startsWith(`${tag}=`));
  const [only, second] = values;
  if (only === undefined || second !== undefined) return [];
  return only
    .slice(tag.length + 1)
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address.toLowerCase().startsWith('mailto:'));
}

/** Anything with an `@` after a tag, whether or not it is a proper URI: how Exchange administrators often write it. */
function looseAddresses(record: string, tag: string): string[] {
  const [, after] = record.split(`${tag}=`);
  return (after?.split(';')[0] ?? '').split(/[,\s]+/u).filter((address) => address.includes('@'));
}

/** Records in DNS that bind mail to a domain. */
export const dnsFunctions: readonly NamedFunction[] = [
  {
    signature: 'dmarcReports(dyn, string): list',
    description: 'The `mailto:` addresses that a DMARC record reports to under `rua` or `ruf`.',
    run: (_: FunctionContext, record: unknown, tag: string) =>
      typeof record === 'string' ? reportAddresses(record, tag) : [],
  },
  {
    signature: 'dmarcAddresses(dyn, string): list',
    description: 'The addresses that a DMARC record reports to under `rua` or `ruf`, also those without `mailto:`.',
    run: (_: FunctionContext, record: unknown, tag: string) =>
      typeof record === 'string' ? looseAddresses(record, tag) : [],
  },
];
