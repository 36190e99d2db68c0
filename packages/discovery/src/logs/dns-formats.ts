import { readHost } from '../host.ts';
import type { LineRead, LineReader, LogFormat } from '../sighting.ts';
import { bytesOf, epochMs, type Fields, jsonFields, readTime, whoOf } from './fields.ts';

/** `client @0x7f 10.0.0.5#53211 (slack.com): query: slack.com IN A +E(0)K (10.0.0.1)`, as BIND writes queries. */
const BIND_QUERY = /client (?:@\S+ )?([0-9A-Fa-f.:]+)#\d+ ?(?:\([^)]*\))?: (?:view \S+: )?query: (\S+) IN (\S+)/;
const BIND_TIME =
  /^(\d{1,2}-[A-Za-z]{3}-\d{4} \d{2}:\d{2}:\d{2}(?:\.\d+)?|\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)/;
/** `[1700000000] unbound[123:0] info: 10.0.0.5 slack.com. A IN`, as Unbound's log-queries and log-replies write. */
const UNBOUND_QUERY = /unbound\[[\d:]+\] (?:info|query|reply): ([0-9A-Fa-f.:]+) (\S+)\. ([A-Z0-9]+) IN/;

/** Asked by mail servers and resolvers about each other, not by somebody who opens an app. */
const NOT_USE = new Set(['PTR', 'SOA', 'NS', 'DS', 'DNSKEY', 'MX', 'TXT', 'SRV', 'CAA']);

function query(name: string, type: string, client: string | undefined, at: number | null): LineRead {
  const host = readHost(name);
  if (host === null || NOT_USE.has(type)) return 'skip';
  return { host, who: whoOf(client), at, bytes: 0 };
}

const bind = (utcOffsetMs: number): LineReader => ({
  read(line) {
    if (line.trim() === '') return 'skip';
    const match = BIND_QUERY.exec(line);
    const at = readTime(BIND_TIME.exec(line)?.[1] ?? '', utcOffsetMs);
    // BIND writes much else into the same file.
    if (!match) return at === null ? 'bad' : 'skip';
    return query(match[2] ?? '', match[3] ?? '', match[1], at);
  },
});

const unbound = (utcOffsetMs: number): LineReader => ({
  read(line) {
    if (line.trim() === '') return 'skip';
    const match = UNBOUND_QUERY.exec(line);
    if (!match) return /unbound\[[\d:]+\]/.test(line) ? 'skip' : 'bad';
    const epoch = /^\[(\d{9,11})\]/.exec(line)?.[1];
    return query(
      match[2] ?? '',
      match[3] ?? '',
      match[1],
      epochMs(epoch) ?? readTime(BIND_TIME.exec(line)?.[1], utcOffsetMs),
    );
  },
});

const clean = (value: unknown): string =>
  typeof value === 'string' && value !== '-' && value !== '(empty)' ? value : '';

function zeekFields(fields: Fields): LineRead {
  const at = epochMs(fields['ts']) ?? readTime(fields['ts']);
  const client = clean(fields['id.orig_h']);
  const type = clean(fields['qtype_name']);
  if (fields['query'] !== undefined) return query(clean(fields['query']), type, client, at);
  const host = readHost(clean(fields['server_name']) || clean(fields['host']));
  if (at === null && host === null) return 'bad';
  if (host === null) return 'skip';
  const bytes = bytesOf(
    fields['request_body_len'],
    fields['response_body_len'],
    fields['orig_bytes'],
    fields['resp_bytes'],
  );
  return { host, who: whoOf(clean(fields['username']), client), at, bytes };
}

/** Zeek's dns.log, ssl.log and http.log: tab-separated with `#fields`, or a JSON object a line. */
function zeek(): LineReader {
  let names: readonly string[] | null = null;
  let separator = '\t';
  return {
    read(line) {
      if (line.trim() === '') return 'skip';
      if (line.startsWith('#')) {
        const hex = /^#separator \\x([0-9a-f]{2})/i.exec(line)?.[1];
        if (hex !== undefined) separator = String.fromCharCode(Number.parseInt(hex, 16));
        if (line.startsWith('#fields')) names = line.split(separator).slice(1);
        return 'skip';
      }
      const json = jsonFields(line);
      if (json) return zeekFields(json);
      if (names === null || line.startsWith('{')) return 'bad';
      const cells = line.split(separator);
      if (cells.length !== names.length) return 'bad';
      return zeekFields(Object.fromEntries(names.map((name, index) => [name, cells[index]])));
    },
  };
}

export const DNS_FORMATS: readonly LogFormat[] = [
  { name: 'bind', title: 'BIND query log', evidence: 'dns', open: ({ utcOffsetMs }) => bind(utcOffsetMs) },
  { name: 'unbound', title: 'Unbound query log', evidence: 'dns', open: ({ utcOffsetMs }) => unbound(utcOffsetMs) },
  { name: 'zeek', title: 'Zeek dns.log, ssl.log or http.log', evidence: 'dns', open: () => zeek() },
];
