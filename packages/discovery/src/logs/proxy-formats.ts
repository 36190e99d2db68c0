import { readHost } from '../host.ts';
import type { LineRead, LogFormat } from '../sighting.ts';
import {
  bytesOf,
  epochMs,
  type Fields,
  jsonFields,
  lowerKeys,
  pick,
  readTime,
  splitCsv,
  textOf,
  whoOf,
} from './fields.ts';

/** What a proxy did not let through was not used. */
const REFUSED = /^(?:block|blocked|deny|denied|drop|dropped|reject|rejected|quarantine)/i;

const hostRead = (raw: unknown): string | null => (typeof raw === 'string' ? readHost(raw) : null);

/** `time elapsed client code/status bytes method URL user hierarchy type`: Squid's native format. */
const SQUID = /^(\d{9,11}(?:\.\d{1,3})?)\s+(?:-?\d+)\s+(\S+)\s+([A-Z_]+)\/(\d{3})\s+(\d+)\s+(\S+)\s+(\S+)\s+(\S+)/;
/** `client ident user [time] "method URL version" status bytes`: Squid's and Apache's common format. */
const COMMON = /^(\S+) \S+ (\S+) \[([^\]]+)\] "([A-Z_]+) (\S+)[^"]*" (\d{3}) (\d+|-)/;

function squidLine(line: string, utcOffsetMs: number): LineRead {
  const native = SQUID.exec(line);
  if (native) {
    const [, time, client, code = '', , size, , url = '', user] = native;
    if (code.includes('DENIED')) return 'skip';
    const host = readHost(url);
    if (host === null) return 'skip';
    return { host, who: whoOf(user, client), at: epochMs(time), bytes: bytesOf(size) };
  }
  const common = COMMON.exec(line);
  if (!common) return 'bad';
  const [, client, user, time = '', , url = '', status, size] = common;
  const host = readHost(url);
  if (host === null || status === '403' || status === '407') return 'skip';
  return { host, who: whoOf(user, client), at: readTime(time, utcOffsetMs), bytes: bytesOf(size) };
}

/** `name=value` pairs, separated by tabs, or the values quoted. */
function pairsOf(line: string): Fields | null {
  const pairs: Record<string, string> = {};
  const parts = line.includes('\t') ? line.split('\t') : (line.match(/[A-Za-z_]{1,40}=(?:"[^"]*"|\S*)/g) ?? []);
  for (const part of parts) {
    const at = part.indexOf('=');
    if (at > 0) pairs[part.slice(0, at).trim().toLowerCase()] = part.slice(at + 1).replace(/^"(.*)"$/, '$1');
  }
  return Object.keys(pairs).length >= 3 ? pairs : null;
}

function webFields(fields: Fields, utcOffsetMs: number): LineRead {
  const action = textOf(pick(fields, 'action', 'policyaction', 'web_action', 'x-policy-action'));
  if (REFUSED.test(action)) return 'skip';
  const host = hostRead(
    pick(
      fields,
      'host',
      'hostname',
      'httphost',
      'cs-host',
      'sni',
      'x-cs-sni',
      'ehost',
      'domain',
      'x-cs-domain',
      'url',
      'eurl',
      'cs-uri',
      'dsthost',
      'x-other-host',
    ),
  );
  const at = readTime(
    pick(fields, 'datetime', 'timestamp', 'time', 'epochtime', 'x-cs-timestamp', '_insertion_epoch_timestamp'),
    utcOffsetMs,
  );
  if (host === null) return at === null ? 'bad' : 'skip';
  const who = whoOf(
    pick(fields, 'email', 'user', 'login', 'elogin', 'cs-username', 'userid', 'ur_normalized', 'username'),
    pick(fields, 'sourceip', 'srcip', 'clientip', 'c-ip', 'cip', 'src', 'src_ip', 'client_ip'),
  );
  const total = pick(fields, 'numbytes', 'bytes', 'totalsize', 'transactionsize');
  const up = pick(fields, 'client_bytes', 'requestsize', 'reqsize', 'cs-bytes', 'bytessent', 'upload_bytes');
  const down = pick(fields, 'server_bytes', 'responsesize', 'respsize', 'sc-bytes', 'bytesreceived', 'download_bytes');
  const bytes = up === undefined && down === undefined ? bytesOf(total) : bytesOf(up, down);
  return { host, who, at, bytes };
}

/** JSON, `name=value`, CSV or W3C with a header; `columns` are those of a file without one. */
function webReader(utcOffsetMs: number, columns: readonly string[] | null) {
  let header: readonly string[] | null = columns;
  let separator = ',';
  const row = (cells: readonly string[]): LineRead => {
    const names = header ?? [];
    const fields = Object.fromEntries(cells.slice(0, names.length).map((cell, index) => [names[index] ?? '', cell]));
    if (typeof fields['date'] === 'string' && typeof fields['time'] === 'string' && /^\d{2}:/.test(fields['time'])) {
      fields['time'] = `${fields['date']} ${fields['time']}`;
    }
    return webFields(fields, utcOffsetMs);
  };
  return {
    read(line: string): LineRead {
      if (line.trim() === '') return 'skip';
      if (line.startsWith('{')) {
        const fields = jsonFields(line);
        return fields ? webFields(fields, utcOffsetMs) : 'bad';
      }
      if (line.startsWith('#')) {
        const names = /^#Fields:\s*(.+)$/i.exec(line)?.[1];
        if (names !== undefined) {
          separator = names.includes('\t') ? '\t' : ' ';
          header = names
            .trim()
            .split(/\s+/)
            .map((name) => name.toLowerCase());
        }
        return 'skip';
      }
      if (header === null || header === columns) {
        const cells = splitCsv(line, line.includes('\t') ? '\t' : ',')?.map((cell) => cell.trim().toLowerCase());
        const isHeader = cells?.some((cell) =>
          ['url', 'host', 'hostname', 'domain', 'cs-host', 'httphost'].includes(cell),
        );
        if (cells && isHeader && cells.length > 2) {
          separator = line.includes('\t') ? '\t' : ',';
          header = cells.map((cell) => cell.replaceAll(' ', '_'));
          return 'skip';
        }
        const pairs = pairsOf(line);
        if (pairs && (pairs['url'] !== undefined || pairs['host'] !== undefined || pairs['hostname'] !== undefined)) {
          return webFields(lowerKeys(pairs), utcOffsetMs);
        }
      }
      if (header === null) return 'bad';
      const cells = separator === ' ' ? spaced(line) : splitCsv(line, separator);
      if (!cells || cells.length < Math.min(3, header.length)) return 'bad';
      return row(cells);
    },
  };
}

/** W3C values: separated by spaces, quoted where they hold one. */
const spaced = (line: string): string[] =>
  (line.match(/"[^"]*"|\S+/g) ?? []).map((cell) => cell.replace(/^"(.*)"$/, '$1'));

/** The order of Zscaler's own sample of a web feed: a feed may be configured otherwise, then with names. */
const ZSCALER_COLUMNS = ['time', 'login', 'proto', 'url', 'action', 'appname', 'appclass', 'reqsize', 'respsize'];

export const PROXY_FORMATS: readonly LogFormat[] = [
  {
    name: 'squid',
    title: 'Squid access.log (native or common)',
    evidence: 'proxy_log',
    open: ({ utcOffsetMs }) => ({
      read: (line) => (line.trim() === '' || line.startsWith('#') ? 'skip' : squidLine(line, utcOffsetMs)),
    }),
  },
  {
    name: 'zscaler',
    title: 'Zscaler web feed (NSS: JSON, name=value or quoted CSV)',
    evidence: 'proxy_log',
    open: ({ utcOffsetMs }) => webReader(utcOffsetMs, ZSCALER_COLUMNS),
  },
  {
    name: 'netskope',
    title: 'Netskope (page and application events as JSON or CSV, web transactions as W3C)',
    evidence: 'proxy_log',
    open: ({ utcOffsetMs }) => webReader(utcOffsetMs, null),
  },
  {
    name: 'w3c',
    title: 'Any proxy that writes the W3C extended format',
    evidence: 'proxy_log',
    open: ({ utcOffsetMs }) => webReader(utcOffsetMs, null),
  },
];

/** Cloudflare's Logpush datasets `gateway_http`, `gateway_network` and `gateway_dns`, a JSON object a line. */
export const CLOUDFLARE_FORMAT: LogFormat = {
  name: 'cloudflare-gateway',
  title: 'Cloudflare Gateway (Logpush: HTTP, network or DNS)',
  evidence: 'proxy_log',
  open: ({ utcOffsetMs }) => ({
    read(line) {
      if (line.trim() === '') return 'skip';
      const fields = jsonFields(line);
      if (!fields) return 'bad';
      const query = pick(fields, 'queryname');
      if (query === undefined) return webFields(fields, utcOffsetMs);
      const decision = textOf(pick(fields, 'resolverdecision'));
      const host = hostRead(query);
      if (host === null || /block/i.test(decision)) return 'skip';
      const at = readTime(pick(fields, 'datetime'), utcOffsetMs);
      return {
        host,
        who: whoOf(pick(fields, 'email'), pick(fields, 'srcip'), pick(fields, 'devicename')),
        at,
        bytes: 0,
      };
    },
  }),
};
