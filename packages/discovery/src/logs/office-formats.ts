import { readHost } from '../host.ts';
import type { LineRead, LineReader, LogFormat } from '../sighting.ts';
import { readTime, splitCsv, whoOf } from './fields.ts';

const HEADER_CHARS_MAX = 2_000;
/** Subjects of mail that an app sends to somebody who has an account there or pays for it. */
const ACCOUNT_MAIL =
  /\b(?:welcome|verif|confirm|activat|invit|receipt|invoice|subscription|trial|your (?:new )?(?:account|plan|workspace|team)|get(?:ting)? started|password|sign.?in|log.?in|security code|payment|renew|willkommen|bestätig|rechnung|konto|bienvenue|facture|bienvenid|factura|benvenut|fattura)/i;

/** MIME words (RFC 2047) in a subject; what can't be decoded stays as it is. */
function decodeWords(text: string): string {
  return text.replaceAll(
    /=\?([^?]{1,40})\?([bq])\?([^?]{0,500})\?=/gi,
    (whole, charset: string, kind: string, data: string) => {
      const isUtf = /^utf-?8$/i.test(charset);
      if (!isUtf && !/^(?:us-ascii|iso-8859-1|windows-1252)$/i.test(charset)) return whole;
      const bytes =
        kind.toLowerCase() === 'b'
          ? Buffer.from(data, 'base64')
          : Buffer.from(
              data
                .replaceAll('_', ' ')
                .replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
              'latin1',
            );
      return bytes.toString(isUtf ? 'utf8' : 'latin1');
    },
  );
}

const addressOf = (field: string): string =>
  /<([^<>\s]+@[^<>\s]+)>/.exec(field)?.[1] ?? /[^\s<>,;"]+@[^\s<>,;"]+/.exec(field)?.[0] ?? '';

function mailDate(text: string): number | null {
  const at = Date.parse(text.replace(/\([^)]*\)/g, '').trim());
  return Number.isNaN(at) ? null : at;
}

/** From headers alone. Null: not mail that tells of an account. */
function sightingOf(headers: ReadonlyMap<string, string>): LineRead {
  const from = addressOf(headers.get('from') ?? '');
  const host = readHost(from.slice(from.lastIndexOf('@') + 1));
  if (host === null) return 'bad';
  if (!ACCOUNT_MAIL.test(decodeWords(headers.get('subject') ?? ''))) return 'skip';
  const to = addressOf(headers.get('delivered-to') ?? headers.get('to') ?? '');
  return { host, who: whoOf(to), at: mailDate(headers.get('date') ?? ''), bytes: 0 };
}

const KEPT = new Set(['from', 'to', 'delivered-to', 'subject', 'date']);

/** An mbox (RFC 4155), or headers alone one message after the other. Bodies are passed over and never kept. */
function mbox(): LineReader {
  let headers = new Map<string, string>();
  let state: 'head' | 'body' = 'head';
  let last: string | null = null;
  const flush = (): LineRead => {
    const found = headers.size === 0 ? 'skip' : sightingOf(headers);
    headers = new Map();
    last = null;
    return found;
  };
  return {
    read(line) {
      if (line.startsWith('From ')) {
        const found = flush();
        state = 'head';
        return found;
      }
      if (state === 'body') return 'skip';
      if (line === '') {
        state = 'body';
        return flush();
      }
      if (/^[ \t]/.test(line)) {
        const before = last === null ? undefined : headers.get(last);
        if (last !== null && before !== undefined && before.length < HEADER_CHARS_MAX)
          headers.set(last, `${before} ${line.trim()}`);
        return 'skip';
      }
      const match = /^([A-Za-z0-9-]{1,60}):\s*(.*)$/.exec(line);
      if (!match) return 'bad';
      const name = (match[1] ?? '').toLowerCase();
      last = KEPT.has(name) && !headers.has(name) ? name : null;
      if (last !== null) headers.set(last, (match[2] ?? '').slice(0, HEADER_CHARS_MAX));
      return 'skip';
    },
    end: flush,
  };
}

const alias = (names: readonly string[], ...wanted: readonly string[]): number =>
  names.findIndex((name) => wanted.includes(name));

/** CSV with a header. `need` names the columns without which a file says nothing. */
function table(
  columns: Readonly<Record<string, readonly string[]>>,
  need: readonly string[],
  row: (value: (column: string) => string) => LineRead,
): LineReader {
  let places: Readonly<Record<string, number>> | null = null;
  let separator = ',';
  return {
    read(line) {
      if (line.trim() === '') return 'skip';
      if (places === null) {
        const text = line.replace(/^\uFEFF/, '');
        separator = [',', ';', '\t'].find((one) => text.includes(one)) ?? ',';
        const names = (splitCsv(text, separator) ?? []).map((cell) => cell.trim().toLowerCase());
        const found = Object.fromEntries(
          Object.entries(columns).map(([column, known]) => [column, alias(names, ...known)]),
        );
        if (need.some((column) => (found[column] ?? -1) < 0)) return 'bad';
        places = found;
        return 'skip';
      }
      const cells = splitCsv(line, separator);
      if (!cells) return 'bad';
      const at = places;
      return row((column) => cells[at[column] ?? -1]?.trim() ?? '');
    },
  };
}

const expense = (utcOffsetMs: number): LineReader =>
  table(
    {
      merchant: ['merchant', 'vendor', 'payee', 'supplier', 'description', 'merchant name', 'vendor name', 'empfänger'],
      date: ['date', 'transaction date', 'posted', 'posted date', 'expense date', 'datum'],
      who: ['employee', 'email', 'employee email', 'user', 'cardholder', 'card holder', 'submitter', 'mitarbeiter'],
    },
    ['merchant'],
    (value) => {
      if (value('merchant') === '') return 'bad';
      const [, day, month, year] = /^(\d{2})[./](\d{2})[./](\d{4})$/.exec(value('date')) ?? [];
      const iso = year === undefined ? value('date') : `${year}-${month}-${day}`;
      return {
        merchant: value('merchant').slice(0, 200),
        who: whoOf(value('who')),
        at: readTime(iso, utcOffsetMs),
        bytes: 0,
      };
    },
  );

/** What mail gateways export of messages: sender, recipient, subject, time. No bodies. */
const mailTrace = (utcOffsetMs: number): LineReader =>
  table(
    {
      from: ['sender', 'from', 'sender address', 'senderaddress', 'sender_address', 'mail from'],
      to: ['recipient', 'to', 'recipient address', 'recipientaddress', 'recipients', 'recipient_status'],
      subject: ['subject', 'message subject', 'message_subject'],
      date: ['date', 'received', 'datetime', 'date_time', 'origin_timestamp_utc', 'origin timestamp utc', 'start date'],
    },
    ['from', 'subject'],
    (value) => {
      const from = addressOf(value('from'));
      const host = readHost(from.slice(from.lastIndexOf('@') + 1));
      if (host === null) return 'bad';
      if (!ACCOUNT_MAIL.test(decodeWords(value('subject')))) return 'skip';
      return { host, who: whoOf(addressOf(value('to'))), at: readTime(value('date'), utcOffsetMs), bytes: 0 };
    },
  );

export const OFFICE_FORMATS: readonly LogFormat[] = [
  {
    name: 'mbox',
    title: 'Mailbox or message headers (mbox); bodies are not kept',
    evidence: 'mail',
    open: () => mbox(),
  },
  {
    name: 'mail-trace',
    title: 'Message trace of a mail gateway (CSV: sender, recipient, subject, date)',
    evidence: 'mail',
    open: ({ utcOffsetMs }) => mailTrace(utcOffsetMs),
  },
  {
    name: 'expenses',
    title: 'Expenses or card statement (CSV with a column for merchant)',
    evidence: 'expense',
    open: ({ utcOffsetMs }) => expense(utcOffsetMs),
  },
];
