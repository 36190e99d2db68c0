import { z } from 'zod';
import type { Catalogue } from './catalogue.ts';
import { loadCatalogue } from './catalogue-folder.ts';
import { CaseInvalid } from './errors.ts';

/** Longest line of a case file: the settings of a large tenant. */
const LINE_CHARS_MAX = 32_000_000;

const caseSchema = z.object({ policy: z.string().min(1), input: z.unknown() });

export interface EvaluateCasesOptions {
  /** The folder that holds `posture/`. */
  contentFolder: string;
  /** Milliseconds since the epoch at which the cases are judged; now, unless told. */
  now?: number;
}

/** One line of output of `cordon posture evaluate --cases FILE --json`. */
export interface CaseVerdict {
  policy: string;
  /** `PASS`, `FAIL`, `NOT_VISIBLE`, `NOT_APPLICABLE` or `ERROR`. */
  verdict: string;
  reason: string;
  /** The id of the check that judged, with its version; null when no check has this policy. */
  check: string | null;
  evidence: { path: string; value?: string }[];
}

/**
 * Judges recorded settings offline. Each line of input is a JSON object `{policy, input}`; each line of output is a
 * {@link CaseVerdict} as JSON, in the order of the input. Blank lines are passed over.
 *
 * @throws CaseInvalid for a line that is no case
 */
export async function* evaluateCases(
  lines: AsyncIterable<string>,
  { contentFolder, now = Date.now() }: EvaluateCasesOptions,
): AsyncGenerator<string> {
  // A readline interface drops the lines that come before someone listens, so listen before reading the checks.
  const listening = lines[Symbol.asyncIterator]();
  const catalogue = await loadCatalogue(contentFolder);
  yield* judgeCases({ [Symbol.asyncIterator]: () => listening }, catalogue, now);
}

/** As {@link evaluateCases}, with checks that are loaded already. */
export async function* judgeCases(
  lines: AsyncIterable<string>,
  catalogue: Catalogue,
  now: number,
): AsyncGenerator<string> {
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() !== '') yield JSON.stringify(judgeCase(catalogue, parseCase(line, number), now));
  }
}

function parseCase(line: string, number: number): z.infer<typeof caseSchema> {
  if (line.length > LINE_CHARS_MAX) throw new CaseInvalid(number, `longer than ${LINE_CHARS_MAX} characters`);
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch (error) {
    throw new CaseInvalid(number, 'not JSON', { cause: error });
  }
  const parsed = caseSchema.safeParse(document);
  if (!parsed.success) throw new CaseInvalid(number, 'not an object with policy and input', { cause: parsed.error });
  return parsed.data;
}

function judgeCase(catalogue: Catalogue, { policy, input }: z.infer<typeof caseSchema>, now: number): CaseVerdict {
  const compiled = catalogue.find(policy);
  if (compiled === undefined) {
    return { policy, verdict: 'ERROR', reason: 'No check has this policy.', check: null, evidence: [] };
  }
  const { check, result, reason, evidence } = compiled.evaluate(input, {
    now,
    complete: true,
    elapsed: () => performance.now(),
  });
  return { policy, verdict: result.toUpperCase(), reason, check, evidence };
}
