import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ContentInvalid } from '../errors.ts';

const schema = z.array(
  z.strictObject({
    id: z.string().regex(/^[A-Z]{2}$/),
    within: z.string().optional(),
    names: z.array(z.string().min(2)).min(1),
    hosts: z.array(z.string().regex(/^[a-z0-9-]+$/)),
  }),
);

export interface Regions {
  /** The region that people's words name; null: none that is known. */
  named(text: string): string | null;
  /** The region that a host's name tells of; null: it tells of none. */
  ofHost(host: string): string | null;
  /** Whether a region is one of those named, or lies in one of them. */
  isWithin(region: string, named: readonly string[]): boolean;
}

export function parseRegions(text: string): Regions {
  const result = schema.safeParse(parse(text));
  if (!result.success) throw new ContentInvalid(`regions.yaml: ${z.prettifyError(result.error)}`);
  const list = result.data;
  const byName = new Map(list.flatMap(({ id, names }) => names.map((name) => [name, id] as const)));
  const byHost = new Map(list.flatMap(({ id, hosts }) => hosts.map((part) => [part, id] as const)));
  const parent = new Map(list.map(({ id, within }) => [id, within]));
  return {
    named(words) {
      const plain = words.toLowerCase().replaceAll(/[().]/g, ' ').replaceAll(/\s+/g, ' ').trim();
      const whole = byName.get(plain) ?? byHost.get(plain);
      if (whole !== undefined) return whole;
      // "AWS eu-central-1 (Frankfurt)", "Dublin, Ireland": the last part that names a region, the narrower one first.
      const parts = plain.split(/[,;/|]| - /).flatMap((part) => [part.trim(), ...part.trim().split(' ')]);
      const found = parts.flatMap((part) => byName.get(part) ?? byHost.get(part) ?? []);
      return found.find((id) => parent.get(id) !== undefined) ?? found[0] ?? null;
    },
    ofHost(host) {
      // The registered name and its ending say who, not where: `example.us` lies anywhere.
      const labels = host.toLowerCase().split('.').slice(0, -2);
      const exact = labels.map((label) => byHost.get(label)).find((id) => id !== undefined);
      if (exact !== undefined) return exact;
      const parts = labels.flatMap((label) => {
        const words = label.split('-');
        return words.flatMap((_, from) => words.slice(from).map((__, length) => words.slice(from, from + length + 1)));
      });
      const longest = parts.toSorted((a, b) => b.length - a.length);
      return longest.map((words) => byHost.get(words.join('-'))).find((id) => id !== undefined) ?? null;
    },
    isWithin(region, named) {
      for (let at: string | undefined = region; at !== undefined; at = parent.get(at))
        if (named.includes(at)) return true;
      return false;
    },
  };
}

export function loadRegions(contentFolder: string): Regions {
  return parseRegions(readFileSync(join(contentFolder, 'vendors', 'regions.yaml'), 'utf8'));
}
