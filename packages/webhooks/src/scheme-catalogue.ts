import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type WebhookScheme, webhookScheme } from '@cordon/policy';
import { parse } from 'yaml';
import { z } from 'zod';
import { SchemeInvalid } from './errors.ts';

/** A vendor's scheme as Cordon ships it; samples are for tests. */
const schemeFile = z.strictObject({ docs: z.url(), samples: z.array(z.unknown()), ...webhookScheme.shape });

export interface ShippedScheme {
  readonly scheme: WebhookScheme;
  /** Where the vendor describes it. */
  readonly docs: string;
}

export type SchemeCatalogue = ReadonlyMap<string, ShippedScheme>;

/**
 * Reads `content/webhooks/*.yaml`.
 *
 * @throws {SchemeInvalid} naming the file: what ships is wrong, not what somebody typed.
 */
export async function loadSchemes(folder: string): Promise<SchemeCatalogue> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  const found = new Map<string, ShippedScheme>();
  for (const name of names) {
    const result = schemeFile.safeParse(parse(await readFile(join(folder, name), 'utf8')));
    if (!result.success) throw new SchemeInvalid(`${name} is no webhook scheme`, { name }, result.error);
    const { docs, samples: _samples, ...scheme } = result.data;
    if (`${scheme.name}.yaml` !== name) throw new SchemeInvalid(`${name} holds the scheme ${scheme.name}`, { name });
    found.set(scheme.name, { scheme, docs });
  }
  return found;
}
