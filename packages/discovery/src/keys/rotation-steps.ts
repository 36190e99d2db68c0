import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { CatalogueInvalid } from '../errors.ts';
import type { KeyFact } from './key.ts';

const text = z.string().min(1).max(500);
const file = z.strictObject({
  steps: z
    .array(
      z.strictObject({
        tool: text,
        kind: text,
        source: z.url({ protocol: /^https$/ }),
        steps: z.array(text).min(2).max(10),
      }),
    )
    .min(1),
});

export interface RotationSteps {
  /** What a person does, in order, about this key; one line each, the source last. */
  of(key: Pick<KeyFact, 'tool' | 'kind' | 'name' | 'owner' | 'externalId'>): string;
}

/** Reads `content/rotation/steps.yaml`. */
export function loadRotationSteps(path: string): RotationSteps {
  const result = file.safeParse(parse(readFileSync(path, 'utf8')));
  if (!result.success) throw new CatalogueInvalid(`content/rotation/steps.yaml: ${z.prettifyError(result.error)}`);
  const entries = result.data.steps;
  const fits = (pattern: string, value: string): boolean => pattern === '*' || pattern === value;
  return {
    of(key) {
      const entry = entries.find(({ tool, kind }) => fits(tool, key.tool) && fits(kind, key.kind));
      const lines = entry?.steps ?? [];
      const fill = (line: string): string =>
        line
          .replaceAll('{name}', key.name ?? key.externalId)
          .replaceAll('{owner}', key.owner ?? 'whoever made it')
          .replaceAll('{id}', key.externalId);
      return [...lines.map((line, index) => `${index + 1}. ${fill(line)}`), `See ${entry?.source ?? ''}`].join('\n');
    },
  };
}
