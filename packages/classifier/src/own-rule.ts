import type { CustomRule } from './custom.ts';
import { CustomInvalid } from './errors.ts';
import { ExactList, hashExactValues, type ExactListData } from './exact-list.ts';
import { fingerprintDocument, type DocumentFingerprint } from './fingerprint.ts';

export const OWN_TERMS_MAX = 20_000;
export const OWN_DOCUMENT_CHARS_MAX = 2_000_000;
const HASH_BYTES = 8;
const NEWLINE = 0x0a;

/** What an organisation gives: its words, an expression, values of its records, or a document. */
export type OwnRule =
  | { readonly kind: 'dictionary'; readonly terms: readonly string[] }
  | { readonly kind: 'regex'; readonly pattern: string }
  | { readonly kind: 'exact'; readonly values: Iterable<string> }
  | { readonly kind: 'document'; readonly text: string; readonly least: number };
export type OwnRuleKind = OwnRule['kind'];

/** What a packed rule begins with: one line of JSON. For a list the hashes follow, eight bytes each, little-endian. */
type Head =
  | { readonly kind: 'dictionary'; readonly terms: readonly string[] }
  | { readonly kind: 'regex'; readonly pattern: string }
  | { readonly kind: 'exact'; readonly lengths: readonly number[]; readonly words: number; readonly digits: boolean }
  | { readonly kind: 'document'; readonly hashes: readonly string[]; readonly least: number };

type Naming = Pick<CustomRule, 'name' | 'label' | 'title' | 'category' | 'confidence'>;

function joined(head: Head, data?: Buffer): Buffer {
  const line = Buffer.from(`${JSON.stringify(head)}\n`);
  return data ? Buffer.concat([line, data]) : line;
}

/** Packs a list that was hashed before. */
export function packExactList(list: ExactListData): { readonly packed: Buffer; readonly count: number } {
  const { hashes, lengths, words, digits } = list;
  const data = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.byteLength);
  return { packed: joined({ kind: 'exact', lengths, words, digits }, data), count: hashes.length };
}

/**
 * Packs a rule as processes pass it on and keep it: values and documents only as keyed hashes, so that neither can be
 * read back without the key and a guess. Also says how many values, terms or phrases it holds.
 *
 * @throws {CustomInvalid} when the rule is too large, too short or no expression in RE2 syntax.
 */
export function packOwnRule(rule: OwnRule, key: Uint8Array): { readonly packed: Buffer; readonly count: number } {
  if (rule.kind === 'dictionary') {
    if (rule.terms.length > OWN_TERMS_MAX) throw new CustomInvalid('too many terms', { limit: OWN_TERMS_MAX });
    return { packed: joined({ kind: 'dictionary', terms: rule.terms }), count: rule.terms.length };
  }
  if (rule.kind === 'regex') return { packed: joined({ kind: 'regex', pattern: rule.pattern }), count: 1 };
  if (rule.kind === 'exact') return packExactList(hashExactValues(rule.values, key));
  const { hashes } = fingerprintDocument('document', rule.text.slice(0, OWN_DOCUMENT_CHARS_MAX), key);
  return { packed: joined({ kind: 'document', hashes, least: rule.least }), count: hashes.length };
}

function readHashes(data: Buffer): BigUint64Array {
  if (data.length === 0 || data.length % HASH_BYTES !== 0) throw new CustomInvalid('the list is damaged');
  // Copied: what is packed begins anywhere, and these lie on a boundary of eight.
  return new BigUint64Array(new Uint8Array(data).buffer);
}

/** Reads back what `packOwnRule` made. Throws `CustomInvalid` for anything else. */
export function unpackOwnRule(packed: Buffer, naming: Naming, key: Uint8Array): CustomRule {
  const end = packed.indexOf(NEWLINE);
  if (end === -1) throw new CustomInvalid('a packed rule begins with a line of JSON', { name: naming.name });
  let head: Head;
  try {
    head = JSON.parse(packed.toString('utf8', 0, end)) as Head; // checked by its hash: only we pack
  } catch (error) {
    throw new CustomInvalid('a packed rule begins with a line of JSON', { name: naming.name }, error);
  }
  switch (head.kind) {
    case 'dictionary':
      return { ...naming, kind: 'dictionary', terms: head.terms };
    case 'regex':
      return { ...naming, kind: 'regex', pattern: head.pattern };
    case 'exact': {
      const data: ExactListData = { ...head, hashes: readHashes(packed.subarray(end + 1)) };
      return { ...naming, kind: 'exact', list: new ExactList(data, key) };
    }
    case 'document': {
      const fingerprint: DocumentFingerprint = { name: naming.name, hashes: head.hashes };
      return { ...naming, kind: 'document', fingerprint, key, least: head.least };
    }
    default:
      throw new CustomInvalid('a packed rule is of no known kind', { name: naming.name });
  }
}
