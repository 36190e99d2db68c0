import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ParserInvalid, ProductUnknown } from '../errors.ts';
import { type Logsource } from '../sigma/ast.ts';
import { type DetectionEvent } from '../signal.ts';
import { parserDocument, type ParserDocument } from './parser-schema.ts';
import { compileStream, type StreamParser } from './stream-parser.ts';

const PARSERS_MAX = 1_000;

/** All products that raw events can be read of. */
export interface ParserSet {
  readonly products: readonly ParserDocument[];
  readonly streams: readonly StreamParser[];
  /**
   * A vendor's record as events. `product` is a product (`okta`), a stream (`okta/system`) or a log type
   * (`Okta.SystemLog`); throws `ProductUnknown` for another.
   */
  normalise(product: string, record: unknown, receivedAt?: number): DetectionEvent[];
  /** For `loadRules`: the path that a public rule's field name means in a log source. */
  readonly alias: (logsource: Logsource, field: string) => string | undefined;
  /** Our product and service for the log source of a public rule; the same log source when it has no other name. */
  readonly logsource: (logsource: Logsource) => Logsource;
}

async function readParser(path: string): Promise<ParserDocument> {
  const result = parserDocument.safeParse(parse(await readFile(path, 'utf8')));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  throw new ParserInvalid(`${path}: ${where}: ${issue?.message ?? 'not valid'}`, { file: path, where });
}

/** Loads `<folder>/<product>/parser.yaml` of every product. */
export async function loadParsers(folder: string): Promise<ParserSet> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  if (names.length > PARSERS_MAX)
    throw new ParserInvalid(`${folder} holds more than ${PARSERS_MAX} parsers.`, { folder });
  const documents = await Promise.all(names.sort().map((name) => readParser(join(folder, name, 'parser.yaml'))));
  return createParserSet(documents);
}

export function createParserSet(documents: readonly ParserDocument[]): ParserSet {
  const streams: StreamParser[] = [];
  const byName = new Map<string, StreamParser[]>();
  const add = (name: string, parser: StreamParser): void => {
    const key = name.toLowerCase();
    byName.set(key, [...(byName.get(key) ?? []), parser]);
  };
  for (const document of documents) {
    for (const stream of document.streams) {
      const parser = compileStream(document, stream);
      streams.push(parser);
      add(document.product, parser);
      add(`${document.product}/${stream.service}`, parser);
      for (const logType of stream.logTypes) add(logType, parser);
    }
  }
  const publicNames = streams.flatMap((parser) => parser.document.sigma.map((name) => ({ ...name, parser })));
  const find = (logsource: Logsource): StreamParser | undefined =>
    publicNames.find((name) => name.product === logsource.product && name.service === logsource.service)?.parser ??
    streams.find((parser) => parser.product === logsource.product && parser.service === logsource.service);

  return {
    products: documents,
    streams,
    normalise(product, record, receivedAt = 0) {
      const candidates = byName.get(product.toLowerCase());
      if (!candidates) throw new ProductUnknown(`No parser reads "${product}".`, { product });
      const chosen = candidates.find((parser) => parser.recognises(record)) ?? candidates.at(-1);
      return chosen?.parse(record, receivedAt) ?? [];
    },
    alias: (logsource, field) => find(logsource)?.document.aliases[field],
    logsource: (logsource) => {
      const found = find(logsource);
      return found ? { ...logsource, product: found.product, service: found.service } : logsource;
    },
  };
}
