import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ContentInvalid } from '../errors.ts';

/** Words for which contracts have many: a pattern names them in braces. */
const WORDS: Readonly<Record<string, string>> = {
  customer: String.raw`(?:customers?|controllers?|clients?|subscribers?|licensees?|data exporters?|purchasers?|buyers?|you|covered entity|financial entity|institution|company)`,
  provider: String.raw`(?:(?:service )?providers?|processors?|vendors?|suppliers?|contractors?|licensors?|data importers?|business associates?|we|importer|ict third-party service provider)`,
  data: String.raw`(?:personal data|personal information|customer data|client data|company data|(?:customer|controller|client|company|subscriber|user|covered|protected|confidential) (?:personal )?(?:data|information|content)|your data|data|phi|pii|information)`,
  incident: String.raw`(?:(?:personal data|data|security|privacy|information security|cyber ?security|cyber|ict(?:-related)?|confidentiality)[- ]+(?:breach(?:es)?|incidents?|events?|compromises?)|breach(?:es)?|incidents?|unauthori[sz]ed (?:or unlawful )?(?:access|disclosure|acquisition|use|processing)|security compromise)`,
  notify: String.raw`(?:notif(?:y|ies|ied|ication|ications)|inform(?:s|ed|ing)?|report(?:s|ed|ing)?|alert(?:s|ed)?|advis(?:e|es|ed)|(?:give|provide|send|deliver|gives|provides)(?: \w+){0,3} (?:prior |prompt |written |immediate )*(?:notice|notification)|notice)`,
  subprocessor: String.raw`(?:sub-? ?(?:processors?|contractors?|contract(?:s|ed|ing)?|processing|outsourcing)|(?:another|other|additional|further) processors?|fourth part(?:y|ies))`,
  authority: String.raw`(?:(?:supervisory|competent|regulatory|data protection|resolution|government(?:al)?|public|supervising|national) authorit(?:y|ies)|regulators?|supervisors?|regulatory (?:bod(?:y|ies)|agenc(?:y|ies)))`,
};

const pattern = z.string().min(1).max(2_000);
const regex = pattern.transform((source, context) => {
  try {
    const expanded = source.replaceAll(/\{(\w+)\}/g, (whole, name: string) => WORDS[name] ?? whole);
    return new RegExp(expanded.replaceAll(/\s+/g, ' ').trim(), 'i');
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'not a pattern' });
    return z.NEVER;
  }
});
const samples = z.array(z.string().min(10)).default([]);

const clauseSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z-]{2,40}$/),
  title: z.string().min(3).max(80),
  why: z.string().min(10).max(600),
  severity: z.enum(['high', 'medium', 'low']),
  /** Who must act: a sentence by which the customer must do it is not this clause. */
  obligor: z.enum(['provider', 'either']).default('either'),
  references: z.array(z.strictObject({ law: z.enum(['GDPR', 'DORA', 'NIS2']), article: z.string() })).default([]),
  /** Which of several sentences speaks for the clause: for a cap of liability, the worst. */
  speaks: z.enum(['best', 'worst']).default('best'),
  /** A sentence holds the clause when it holds `act` and each `topic`; a topic may stand in its lead-in or heading. */
  find: z.array(z.strictObject({ act: regex, topic: z.array(regex).default([]) })).min(1),
  exclude: z.array(regex).default([]),
  negated: z.array(regex).default([]),
  weaker: z.array(z.strictObject({ when: regex, reason: z.string() })).default([]),
  /** What the found sentences together must say. */
  requires: z.array(z.strictObject({ say: regex, reason: z.string() })).default([]),
  /** A time that the clause must name: at most so many hours, or at least so many days. */
  clock: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('at_most'), hours: z.number().positive() }),
      z.strictObject({ kind: z.literal('at_least'), days: z.number().positive() }),
      z.strictObject({ kind: z.literal('any') }),
    ])
    .optional(),
  samples: z.strictObject({ present: samples, weaker: samples, negated: samples, absent: samples }),
});

/** A clause that a contract should hold, and how it is recognised. Written in `content/clauses/`. */
export type Clause = z.output<typeof clauseSchema>;

function parseClause(text: string, path: string): Clause {
  const result = clauseSchema.safeParse(parse(text));
  if (result.success) return result.data;
  throw new ContentInvalid(`${path}: ${z.prettifyError(result.error)}`, { path });
}

/** All clauses of a content folder, by file name. */
export function loadClauses(contentFolder: string): Clause[] {
  const folder = join(contentFolder, 'clauses');
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
  const clauses = files.sort().map((file) => parseClause(readFileSync(join(folder, file), 'utf8'), file));
  const ids = clauses.map(({ id }) => id);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) throw new ContentInvalid(`Two clauses are named ${twice}.`);
  return clauses;
}
