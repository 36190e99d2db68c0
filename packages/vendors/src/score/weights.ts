import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ContentInvalid } from '../errors.ts';

export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
export type Severity = (typeof SEVERITIES)[number];
export const DATA_LABELS = ['restricted', 'confidential', 'internal', 'public'] as const;
export const ANSWER_STATES = ['evidenced', 'accepted', 'claimed', 'open', 'contradicted'] as const;

const points = z.int().min(0).max(100);

/** Levels from the worst to the least: the worse must not have fewer points, or a better input could cost. */
function ordered<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z
    .strictObject(Object.fromEntries(names.map((name) => [name, points])) as Record<Names[number], typeof points>)
    .refine(
      (levels) => {
        const values = names.map((name) => (levels as Record<string, number>)[name] ?? 0); // the object has these keys
        return values.every((value, at) => at === 0 || value <= (values[at - 1] ?? 0));
      },
      { message: `must not rise along ${names.join(', ')}` },
    );
}

const steps = z
  .array(z.strictObject({ from: z.int().positive(), points }))
  .min(1)
  .refine(
    (list) =>
      list.every((one, at) => at === 0 || (one.from > list[at - 1]!.from && one.points >= list[at - 1]!.points)),
    { message: 'must rise' },
  );

const weightsSchema = z.strictObject({
  version: z.string().min(1).max(20),
  inherent: z.strictObject({
    data: ordered(DATA_LABELS),
    data_most: points,
    scope: ordered(['all', 'write', 'read']),
    scope_most: points,
    calls: steps,
    values: steps,
  }),
  proofs: z.strictObject({
    questionnaire: points,
    answer: ordered(ANSWER_STATES),
    questionnaire_most: points,
    attestation: ordered(['strong', 'medium', 'weak']),
    attestation_most: points,
    clause: ordered(['high', 'medium', 'low']),
    clause_most: points,
  }),
  seen: z.strictObject({
    finding: ordered(SEVERITIES),
    overdue: points,
    finding_most: points,
    breach: ordered(SEVERITIES),
    breach_most: points,
    transport: ordered(SEVERITIES),
    transport_most: points,
    posture: ordered(SEVERITIES),
    posture_most: points,
    contradiction: ordered(SEVERITIES),
    contradiction_most: points,
  }),
  attestation_kinds: z.strictObject({ strong: z.array(z.string()), medium: z.array(z.string()) }),
});

/** Points of each kind of term; written in `content/vendors/score.yaml`. */
export type Weights = z.output<typeof weightsSchema> & { readonly digest: string };

export function parseWeights(text: string): Weights {
  const result = weightsSchema.safeParse(parse(text));
  if (!result.success) throw new ContentInvalid(`score.yaml: ${z.prettifyError(result.error)}`);
  const hash = createHash('sha256').update(JSON.stringify(result.data)).digest('hex');
  return { ...result.data, digest: `${result.data.version}:${hash.slice(0, 12)}` };
}

export function loadWeights(contentFolder: string): Weights {
  return parseWeights(readFileSync(join(contentFolder, 'vendors', 'score.yaml'), 'utf8'));
}
