import { z } from 'zod';
import { ContentUnrecognised } from '../errors.ts';
import { splitRows } from '../pentest/csv.ts';
import { instant, parseJson, text } from './feed-json.ts';

const DISTRIBUTIONS_MAX = 50;
const FEEDS_MAX = 100;
/** Of one list; the newest, since changes.csv stands newest first (section 7.1.13). */
const ENTRIES_MAX = 20_000;
const NAME_CHARS_MAX = 1_000;

const address = z.url({ protocol: /^https?$/ }).max(2_048);

/** provider-metadata.json (CSAF 2.0, section 7.1.7). Members that are not needed are passed over. */
const providerSchema = z.object({
  canonical_url: address,
  metadata_version: z.literal('2.0'),
  publisher: z.object({ name: text(300) }),
  public_openpgp_keys: z.array(z.object({ url: z.string() })).default([]),
  distributions: z
    .array(
      z.object({
        directory_url: address.optional(),
        rolie: z.object({ feeds: z.array(z.object({ url: address })).max(FEEDS_MAX) }).optional(),
      }),
    )
    .max(DISTRIBUTIONS_MAX)
    .default([]),
});
export type CsafProvider = z.output<typeof providerSchema>;

/** A ROLIE feed as JSON (section 7.1.15). */
const rolieSchema = z.object({
  feed: z.object({
    entry: z
      .array(
        z.object({
          updated: instant,
          link: z.array(z.object({ rel: z.string(), href: z.string().max(2_048) })).default([]),
          content: z.object({ src: z.string().max(2_048).optional() }).optional(),
        }),
      )
      .default([]),
  }),
});

/** A document that a provider lists. */
export interface CsafEntry {
  readonly url: string;
  /** Null: the list gives no time (index.txt). */
  readonly updated: number | null;
  readonly hashes: readonly string[];
  readonly signature: string;
}

/** Hashes and signature stand beside the document under its name (sections 7.1.18 and 7.1.19). */
const beside = (url: string) => ({ hashes: [`${url}.sha512`, `${url}.sha256`], signature: `${url}.asc` });

export function readProvider(content: string): CsafProvider {
  return parseJson(providerSchema, content, 'provider-metadata.json of CSAF 2.0');
}

/** The addresses that a security.txt gives for provider-metadata.json (section 7.1.8). */
export function csafFieldsOf(securityTxt: string, base: string): string[] {
  return [...securityTxt.matchAll(/^CSAF:[ \t]*(\S{1,2048})[ \t]*\r?$/gim)].flatMap(([, value = '']) =>
    URL.canParse(value, base) ? [new URL(value, base).href] : [],
  );
}

export function readRolie(content: string, base: string): CsafEntry[] {
  const { feed } = parseJson(rolieSchema, content, 'ROLIE feed of CSAF 2.0');
  return feed.entry.slice(0, ENTRIES_MAX).flatMap(({ updated, link, content: at }) => {
    const resolve = (href: string): string[] => (URL.canParse(href, base) ? [new URL(href, base).href] : []);
    const by = (rel: string): string[] => link.filter((one) => one.rel === rel).flatMap(({ href }) => resolve(href));
    const url = [...(at?.src === undefined ? [] : resolve(at.src)), ...by('self')][0];
    if (url === undefined) return [];
    const hashes = by('hash').filter((one) => /\.sha(?:256|512)$/.test(one));
    return [
      {
        url,
        updated,
        hashes: hashes.length > 0 ? hashes.toSorted().toReversed() : beside(url).hashes,
        signature: by('signature')[0] ?? beside(url).signature,
      },
    ];
  });
}

/** A listed name as an address; null for one that leads out of the directory. */
function below(directory: string, name: string): string | null {
  if (name.length > NAME_CHARS_MAX || !name.endsWith('.json') || !URL.canParse(name, directory)) return null;
  const { href } = new URL(name, directory);
  return href.startsWith(directory) && !/[?#\\]/.test(name) ? href : null;
}

const slashed = (url: string): string => (url.endsWith('/') ? url : `${url}/`);

/** changes.csv: file name and time, without a header (section 7.1.13). */
export function readChanges(content: string, directoryUrl: string): CsafEntry[] {
  const directory = slashed(directoryUrl);
  return splitRows(content, ',').map(([name = '', time = ''], at) => {
    const url = below(directory, name);
    const updated = Date.parse(time);
    if (url === null || Number.isNaN(updated)) {
      throw new ContentUnrecognised(`changes.csv: line ${at + 1} is no file name with a time.`);
    }
    return { url, updated, ...beside(url) };
  });
}

/** index.txt: a file name a line (section 7.1.12). */
export function readIndex(content: string, directoryUrl: string): CsafEntry[] {
  const directory = slashed(directoryUrl);
  const names = content.split(/\r?\n/).filter((line) => line.trim() !== '');
  return names.slice(0, ENTRIES_MAX).map((name, at) => {
    const url = below(directory, name.trim());
    if (url === null) throw new ContentUnrecognised(`index.txt: line ${at + 1} is no file name below the directory.`);
    return { url, updated: null, ...beside(url) };
  });
}
