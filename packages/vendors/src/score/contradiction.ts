import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ContentInvalid } from '../errors.ts';
import type { SourceLink } from './facts.ts';
import type { Regions } from './regions.ts';
import { type Severity, SEVERITIES } from './weights.ts';

export const OBSERVATIONS = ['tls_old', 'plaintext', 'certificate', 'static_key', 'region', 'security_txt'] as const;
export type ObservationKind = (typeof OBSERVATIONS)[number];

const pattern = z.string().transform((source, context) => {
  try {
    return new RegExp(source, 'is');
  } catch {
    context.addIssue({ code: 'custom', message: 'is no pattern' });
    return z.NEVER;
  }
});

const ruleSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z-]{2,40}$/),
  title: z.string().min(10).max(200),
  severity: z.enum(SEVERITIES),
  observation: z.enum(OBSERVATIONS),
  question: pattern,
});
export type ContradictionRule = z.output<typeof ruleSchema>;

export function parseRules(text: string): ContradictionRule[] {
  const result = z.array(ruleSchema).safeParse(parse(text));
  if (result.success) return result.data;
  throw new ContentInvalid(`contradictions.yaml: ${z.prettifyError(result.error)}`);
}

export function loadRules(contentFolder: string): ContradictionRule[] {
  return parseRules(readFileSync(join(contentFolder, 'vendors', 'contradictions.yaml'), 'utf8'));
}

/** Something that was seen, with what shows it. */
export interface Observation {
  readonly kind: ObservationKind;
  /** Names what was seen, so that it is the same when seen again: a host, a credential, a company. */
  readonly key: string;
  readonly text: string;
  readonly link: SourceLink;
  /** Milliseconds since the epoch; null: as it stands now. */
  readonly at: number | null;
  /** Of kind `region`: where. */
  readonly region?: string;
}

/** What a vendor said: an answer, or the regions of its entry in the register. */
export interface Statement {
  readonly questionnaireId: string | null;
  readonly questionId: string | null;
  /** The question, with its help; empty for what stands in the register. */
  readonly question: string;
  /** As it was given. */
  readonly answers: readonly string[];
  readonly link: SourceLink;
}

export interface Contradiction {
  readonly key: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly title: string;
  readonly said: Statement;
  readonly evidence: readonly Observation[];
}

const saysYes = ({ answers }: Statement): boolean => answers.some((one) => /^(?:yes|true)\b/i.test(one.trim()));
const EVIDENCE_MAX = 20;

/** The regions that a statement names; none when it names none that are known. */
function regionsOf({ answers }: Statement, regions: Regions): string[] {
  return answers
    .flatMap((one) => one.split(/[,;\n]/))
    .flatMap((one) => regions.named(one) ?? [])
    .filter((one, at, all) => all.indexOf(one) === at);
}

function evidenceFor(
  rule: ContradictionRule,
  said: Statement,
  seen: readonly Observation[],
  regions: Regions,
): Observation[] {
  const kind = seen.filter((one) => one.kind === rule.observation);
  const isRegister = said.questionId === null;
  if (rule.observation === 'region') {
    if (!isRegister && !rule.question.test(said.question)) return [];
    const named = regionsOf(said, regions);
    if (named.length === 0) return [];
    return kind.filter(({ region }) => region !== undefined && !regions.isWithin(region, named));
  }
  return !isRegister && rule.question.test(said.question) && saysYes(said) ? kind : [];
}

/** Holds what was said against what was seen. One finding for each statement and rule, with all that contradicts it. */
export function contradict(
  statements: readonly Statement[],
  seen: readonly Observation[],
  rules: readonly ContradictionRule[],
  regions: Regions,
): Contradiction[] {
  return rules.flatMap((rule) =>
    statements.flatMap((said): Contradiction[] => {
      const evidence = evidenceFor(rule, said, seen, regions).slice(0, EVIDENCE_MAX);
      if (evidence.length === 0) return [];
      const key = `${rule.id}:${said.questionnaireId ?? 'register'}:${said.questionId ?? 'regions'}`;
      return [{ key, rule: rule.id, severity: rule.severity, title: rule.title, said, evidence }];
    }),
  );
}
