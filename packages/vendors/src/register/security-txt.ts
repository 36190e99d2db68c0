import { ContentUnrecognised } from '../errors.ts';

export interface SecurityTxt {
  readonly contacts: readonly string[];
  readonly policy: string | null;
  /** Milliseconds since the epoch. */
  readonly expires: number | null;
}

const CONTACTS_MAX = 20;
const VALUE_CHARS_MAX = 500;
const CONTACT = /^(?:https:\/\/|mailto:|tel:)\S+$/i;

/** Reads a security.txt (RFC 9116): fields by line, `#` comments, signatures skipped. Needs a contact (section 2.5.3). */
export function parseSecurityTxt(text: string): SecurityTxt {
  const fields: [string, string][] = [];
  for (const line of text.split(/\r?\n/)) {
    const match = /^([A-Za-z-]+):\s*(\S.*)$/.exec(line);
    if (match && !line.startsWith('#'))
      fields.push([(match[1] ?? '').toLowerCase(), (match[2] ?? '').trim().slice(0, VALUE_CHARS_MAX)]);
  }
  const all = (name: string): string[] => fields.filter(([field]) => field === name).map(([, value]) => value);
  const contacts = all('contact')
    .filter((value) => CONTACT.test(value))
    .slice(0, CONTACTS_MAX);
  if (contacts.length === 0) throw new ContentUnrecognised('The text names no contact, as a security.txt must.');
  const expires = Date.parse(all('expires')[0] ?? '');
  return { contacts, policy: all('policy')[0] ?? null, expires: Number.isNaN(expires) ? null : expires };
}
