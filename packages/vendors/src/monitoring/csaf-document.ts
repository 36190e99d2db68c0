import { z } from 'zod';
import { SEVERITIES, type Severity } from '../score/weights.ts';
import { instant, parseJson, text } from './feed-json.ts';

const BRANCHES_DEPTH_MAX = 30;
const VENDORS_MAX = 50;
const TEXT_CHARS_MAX = 8_000;
/** CVSS 3.1, section 5: the qualitative scale. */
const SCORES: readonly (readonly [Severity, number])[] = [
  ['critical', 9],
  ['high', 7],
  ['medium', 4],
  ['low', 0.1],
];

/** Product status groups (CSAF 2.0, section 3.2.3.9) by which something is or was affected, or may be. */
const AFFECTED = [
  'first_affected',
  'first_fixed',
  'fixed',
  'known_affected',
  'last_affected',
  'recommended',
  'under_investigation',
] as const;

const csafSchema = z.object({
  document: z.object({
    csaf_version: z.literal('2.0'),
    title: text(300),
    publisher: z.object({ name: text(200), namespace: z.string().max(2_000).optional() }),
    tracking: z.object({
      id: text(200),
      version: z.string().max(40).default(''),
      initial_release_date: instant.optional(),
    }),
    aggregate_severity: z.object({ text: z.string() }).optional(),
    notes: z.array(z.object({ text: z.string() })).default([]),
  }),
  product_tree: z.object({ branches: z.array(z.unknown()).default([]) }).optional(),
  vulnerabilities: z
    .array(
      z.object({
        cve: z.string().max(60).optional(),
        product_status: z.record(z.string(), z.array(z.string())).optional(),
        scores: z.array(z.object({ cvss_v3: z.object({ baseScore: z.number() }).optional() })).default([]),
      }),
    )
    .default([]),
});

const branch = z.object({
  category: z.string(),
  name: z.string(),
  branches: z.array(z.unknown()).default([]),
});

/** Names of vendors in the product tree (section 3.1.2.2: a branch of category `vendor`), each once. */
function vendorsIn(branches: readonly unknown[], depth = 0): string[] {
  if (depth > BRANCHES_DEPTH_MAX) return [];
  const names = branches.flatMap((one) => {
    const read = branch.safeParse(one);
    if (!read.success) return [];
    const { category, name, branches: below } = read.data;
    return category === 'vendor' ? [name] : vendorsIn(below, depth + 1);
  });
  return [...new Set(names)].slice(0, VENDORS_MAX);
}

export interface CsafDocument {
  /** `document/tracking/id`, by which the file is named (section 5.1). */
  readonly trackingId: string;
  readonly version: string;
  readonly title: string;
  readonly text: string;
  readonly severity: Severity;
  readonly releasedAt: number | null;
  readonly publisher: string;
  /** Whom it may concern: vendors of the product tree, then the publisher by name and by the host of its namespace. */
  readonly names: readonly string[];
  /** False for a VEX document that only says that nothing is affected. */
  readonly isAffecting: boolean;
}

function hostOf(namespace: string | undefined): string[] {
  return namespace !== undefined && URL.canParse(namespace) ? [new URL(namespace).hostname] : [];
}

/** Reads a CSAF 2.0 document as far as it is needed here; throws `ContentUnrecognised` with the first thing wrong. */
export function readCsaf(content: string): CsafDocument {
  const { document, product_tree: tree, vulnerabilities } = parseJson(csafSchema, content, 'CSAF 2.0 document');
  const { tracking, publisher } = document;
  const said = document.aggregate_severity?.text.toLowerCase() ?? '';
  const worst = Math.max(
    0,
    ...vulnerabilities.flatMap(({ scores }) => scores.map((one) => one.cvss_v3?.baseScore ?? 0)),
  );
  const byScore = SCORES.find(([, least]) => worst >= least)?.[0];
  const statuses = vulnerabilities.flatMap((one) => Object.keys(one.product_status ?? {}));
  const cves = vulnerabilities.flatMap(({ cve }) => cve ?? []);
  return {
    trackingId: tracking.id,
    version: tracking.version,
    title: document.title,
    text: [...document.notes.map((note) => note.text), ...cves].join('\n').slice(0, TEXT_CHARS_MAX),
    severity: SEVERITIES.find((one) => said.includes(one)) ?? byScore ?? 'high',
    releasedAt: tracking.initial_release_date ?? null,
    publisher: publisher.name,
    names: [...new Set([...vendorsIn(tree?.branches ?? []), publisher.name, ...hostOf(publisher.namespace)])],
    isAffecting: statuses.length === 0 || statuses.some((status) => AFFECTED.some((one) => one === status)),
  };
}

/** The file's name by its tracking id (section 5.1): lower case, everything but a-z, 0-9, + and - as one underscore. */
export const fileNameOf = (trackingId: string): string =>
  `${trackingId.toLowerCase().replaceAll(/[^+\-a-z0-9]+/g, '_')}.json`;
