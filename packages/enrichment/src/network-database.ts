import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from '@cordon/kernel';
import { addressBytes, isPrivate } from './address.ts';
import { NetworkFileInvalid } from './errors.ts';
import { type Mmdb, openMmdb } from './mmdb.ts';
import { factsOfRecord } from './mmdb-record.ts';
import { csvCells, NETWORK_FLAGS, type NetworkFacts, type NetworkFlag, readRanges } from './range-table.ts';

const FILE_BYTES_MAX = 512 * 1024 * 1024;
/** Addresses that are remembered; the oldest go first. */
const CACHE_ADDRESSES_MAX = 50_000;

/** A file in use, as it is shown. */
export interface NetworkFile {
  readonly name: string;
  readonly origin: 'shipped' | 'own';
  readonly gives: readonly ('country' | 'asn' | 'flags')[];
  /** When the data was made, ms since epoch: what the file says, or else when it was written. */
  readonly builtAt: number;
  readonly entries: number;
  readonly licence: string | null;
  /** Whom the data is from, where its licence asks for that. */
  readonly attribution: string | null;
  readonly attributionUrl: string | null;
}

export interface NetworkProblem {
  readonly file: string;
  readonly message: string;
}

/** The port that others need: where an address lies. */
export interface NetworkLookup {
  /** Nothing for private addresses and for what no file knows. */
  lookup(address: string): NetworkFacts;
}

export interface NetworkDatabase extends NetworkLookup {
  readonly files: readonly NetworkFile[];
  readonly problems: readonly NetworkProblem[];
  /** Reads again what changed on disk; true when anything did. A file that can't be read leaves what was there. */
  reload(): Promise<boolean>;
}

export interface NetworkDatabaseOptions {
  /** The customer's own files (`.mmdb`, `.csv`); a later one is believed over an earlier, any over the shipped. */
  readonly ownFiles: readonly string[];
  /** What only placing an address needs: without networks' holders it takes 40 MB less. */
  readonly only?: 'country';
  readonly logger: Logger;
}

interface Loaded {
  readonly file: NetworkFile;
  readonly read: (bytes: Uint8Array) => NetworkFacts | undefined;
}

const HOSTING = fileURLToPath(new URL('../../../content/enrichment/hosting.csv', import.meta.url));
const packageFile = (name: string, file: string): string =>
  join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), file);

/** The date in the version of these packages: `2.3.2026061719`. */
async function versionDate(name: string): Promise<number> {
  const text = await readFile(packageFile(name, 'package.json'), 'utf8');
  const [, year, month, day] = /"version": "\d+\.\d+\.(\d{4})(\d{2})(\d{2})/.exec(text) ?? [];
  return Date.UTC(Number(year), Number(month) - 1, Number(day));
}

const COUNTRY = '@ip-location-db/geo-whois-asn-country-mmdb';
const ASN = '@ip-location-db/asn';

async function loadShipped(only: 'country' | undefined): Promise<Loaded[]> {
  const country = openMmdb(await readFile(packageFile(COUNTRY, 'geo-whois-asn-country.mmdb')));
  const loaded: Loaded[] = [
    {
      file: {
        name: COUNTRY,
        origin: 'shipped',
        gives: ['country'],
        builtAt: await versionDate(COUNTRY),
        entries: country.info.nodes,
        licence: 'CC BY 4.0',
        attribution: 'Number Resource Organization',
        attributionUrl: 'https://www.nro.net',
      },
      read: (bytes) => factsOfRecord(country.lookup(bytes)),
    },
  ];
  if (only === 'country') return loaded;
  const texts = await Promise.all(
    ['asn-ipv4-num.csv', 'asn-ipv6.csv'].map((file) => readFile(packageFile(ASN, file), 'utf8')),
  );
  const ranges = readRanges(texts);
  loaded.push({
    file: {
      name: ASN,
      origin: 'shipped',
      gives: ['asn'],
      builtAt: await versionDate(ASN),
      entries: ranges.rows,
      licence: 'CC BY 4.0',
      attribution: 'IP Geolocation by DB-IP, Route Views, Number Resource Organization',
      attributionUrl: 'https://db-ip.com',
    },
    read: (bytes) => ranges.lookup(bytes),
  });
  return loaded;
}

async function loadOwn(path: string): Promise<Loaded> {
  const { size, mtimeMs } = await stat(path);
  if (size > FILE_BYTES_MAX) throw new NetworkFileInvalid(`The file holds more than ${FILE_BYTES_MAX} bytes.`);
  const about = {
    name: basename(path),
    origin: 'own',
    licence: null,
    attribution: null,
    attributionUrl: null,
  } as const;
  const bytes = await readFile(path);
  if (path.toLowerCase().endsWith('.mmdb')) {
    const mmdb: Mmdb = openMmdb(bytes);
    const { builtAt, nodes } = mmdb.info;
    return {
      file: { ...about, gives: ['country', 'asn', 'flags'], builtAt, entries: nodes },
      read: (address) => factsOfRecord(mmdb.lookup(address)),
    };
  }
  const ranges = readRanges([bytes.toString('utf8')]);
  return {
    file: { ...about, gives: ['country', 'asn', 'flags'], builtAt: Math.trunc(mtimeMs), entries: ranges.rows },
    read: (address) => ranges.lookup(address),
  };
}

async function readProviders(): Promise<ReadonlyMap<number, NetworkFlag>> {
  const text = await readFile(HOSTING, 'utf8');
  const rows = text.split('\n').flatMap((line): (readonly [number, NetworkFlag])[] => {
    const [asn = '', flag = ''] = csvCells(line);
    const known = NETWORK_FLAGS.find((one) => one === flag);
    return /^AS\d+$/.test(asn) && known ? [[Number(asn.slice(2)), known]] : [];
  });
  return new Map(rows);
}

/** Opens what ships with Cordon and the customer's files. A broken file of the customer's is a problem, not an end. */
export async function openNetworkDatabase(options: NetworkDatabaseOptions): Promise<NetworkDatabase> {
  const { ownFiles, only, logger } = options;
  const shipped = await loadShipped(only);
  const providers = await readProviders();
  const own = new Map<string, { readonly stamp: string; readonly loaded: Loaded }>();
  let problems: NetworkProblem[] = [];
  let layers: readonly Loaded[] = shipped;
  const cache = new Map<string, NetworkFacts>();

  const reload = async (): Promise<boolean> => {
    let changed = false;
    const found: NetworkProblem[] = [];
    for (const path of ownFiles) {
      try {
        const { size, mtimeMs, ino } = await stat(path);
        const stamp = `${ino} ${size} ${mtimeMs}`;
        if (own.get(path)?.stamp === stamp) continue;
        own.set(path, { stamp, loaded: await loadOwn(path) });
        changed = true;
      } catch (error) {
        const message = error instanceof NetworkFileInvalid ? error.message : 'The file can not be read.';
        found.push({ file: path, message });
        if (!problems.some((one) => one.file === path)) logger.warn({ err: error, file: path }, 'a file of networks');
      }
    }
    problems = found;
    if (changed) {
      layers = [...shipped, ...ownFiles.flatMap((path) => own.get(path)?.loaded ?? [])];
      cache.clear();
    }
    return changed;
  };
  await reload();

  return {
    get files() {
      return layers.map(({ file }) => file);
    },
    get problems() {
      return problems;
    },
    reload,
    lookup(address) {
      const known = cache.get(address);
      if (known) return known;
      const facts = find(address, layers, providers);
      if (cache.size >= CACHE_ADDRESSES_MAX) {
        const [oldest] = cache.keys();
        if (oldest !== undefined) cache.delete(oldest);
      }
      cache.set(address, facts);
      return facts;
    },
  };
}

const NOTHING: NetworkFacts = {};

function find(address: string, layers: readonly Loaded[], providers: ReadonlyMap<number, NetworkFlag>): NetworkFacts {
  const bytes = addressBytes(address);
  if (!bytes) return NOTHING;
  let facts: NetworkFacts = NOTHING;
  // A customer's file may place what nobody else can: its own offices at private addresses.
  const asked = isPrivate(bytes) ? layers.filter(({ file }) => file.origin === 'own') : layers;
  for (const { read } of asked) {
    const said = read(bytes);
    if (said) facts = { ...facts, ...said, flags: [...new Set([...(facts.flags ?? []), ...(said.flags ?? [])])] };
  }
  const provider = facts.asn === undefined ? undefined : providers.get(facts.asn);
  if (provider) facts = { ...facts, flags: [...new Set([...(facts.flags ?? []), provider])] };
  return facts;
}
