import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ContentInvalid } from '../errors.ts';
import { attestationFacts, type FactName } from './attestation.ts';
import { WRITTEN_DAY } from './written-day.ts';

/** What a pattern may name in braces: days as reports write them, and names of firms. */
const WORDS: Readonly<Record<string, string>> = {
  day: `(?<day>${WRITTEN_DAY})`,
  from: `(?<from>${WRITTEN_DAY})`,
  until: `(?<until>${WRITTEN_DAY})`,
  // Names begin with capitals whatever the case of the words around them.
  // Words are bounded and begin where no word goes on: a page of capitals must not cost the square of its length.
  firm: String.raw`(?<value>(?<![\w&.'-])(?-i:[A-Z][\w&.'-]{0,40}(?:,? (?:&|and|of|[A-Z][\w&.'-]{0,40})){0,6}?,? (?:LLP|L\.L\.P\.|LLC|P\.C\.|PLLC|PLC|GmbH|AG|Ltd\.?|Limited|Inc\.?|CPAs?|S\.A\.|B\.V\.)))`,
  name: String.raw`(?<value>(?<![\w&.'-])(?-i:[A-Z][\w&.'-]{0,40}(?: (?:&|and|of|de|for|[A-Z(][\w&.')-]{0,40})){0,8}))`,
};

const regex = z
  .string()
  .min(1)
  .max(2_000)
  .transform((source, context) => {
    try {
      return new RegExp(
        source
          .replaceAll(/\{([a-z]+)\}/g, (whole, name: string) => WORDS[name] ?? whole)
          .replaceAll(/\s+/g, ' ')
          .trim(),
        'gi',
      );
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'not a pattern' });
      return z.NEVER;
    }
  });
const find = z.array(regex).min(1);

const FACTS = Object.keys(attestationFacts.shape) as [FactName, ...FactName[]]; // the keys of that very schema
const fact = z.enum(FACTS);

/** How one fact is found in the text. The first pattern of `find` that fits anywhere speaks. */
const reader = z.discriminatedUnion('as', [
  z.strictObject({ as: z.literal('period'), find }),
  z.strictObject({ as: z.literal('day'), fact, find }),
  z.strictObject({ as: z.literal('text'), fact, find }),
  z.strictObject({
    as: z.literal('choice'),
    fact,
    choices: z.array(z.strictObject({ value: z.string(), when: regex })).min(1),
  }),
  /** Every word of a list that the text names: trust services categories. */
  z.strictObject({
    as: z.literal('words'),
    fact,
    within: regex,
    words: z.array(z.strictObject({ value: z.string(), when: regex })).min(1),
  }),
  /** Sentences that say something, and items of the list under a heading. */
  z.strictObject({
    as: z.literal('items'),
    fact,
    each: z.array(regex).default([]),
    except: z.array(regex).default([]),
    under: z.array(regex).default([]),
  }),
  z.strictObject({
    as: z.literal('names'),
    find,
    methods: z.array(z.strictObject({ value: z.enum(['carve-out', 'inclusive']), when: regex })),
  }),
]);
export type Reader = z.output<typeof reader>;

const kindSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,40}$/),
  title: z.string().min(3).max(80),
  standard: z.string().min(3).max(300),
  why: z.string().min(10).max(600),
  /** Attestations of one chain follow each other: a later one takes the place of an earlier. */
  chain: z.string().regex(/^[a-z][a-z0-9-]{1,40}$/),
  /** What a person must give before it counts. */
  needs: z.array(fact).min(1),
  /** From which day, and for how many months at most; a stated expiry counts when it is earlier. */
  validity: z.strictObject({
    from: z.enum(['periodStart', 'asOf', 'issuedOn']),
    until: z.enum(['periodEnd', 'asOf', 'issuedOn']),
    months: z.int().min(0).max(60),
    /** Where the level decides: HITRUST r2 lasts two years. */
    byLevel: z.array(z.strictObject({ when: regex, months: z.int().min(1).max(60) })).default([]),
  }),
  /** For reports on periods: days after a period's end by which a bridge letter or the next report should be there. */
  periods: z.strictObject({ openDays: z.int().min(0).max(400) }).optional(),
  /** For a bridge letter: the chain that it carries on, and how long one may be. */
  bridges: z.strictObject({ chain: z.string(), monthsMax: z.int().min(1).max(12) }).optional(),
  warnDays: z.int().min(0).max(365),
  /** All of `all` and none of `none` in the first pages. The kind with the most marks comes first. */
  recognise: z.strictObject({ all: find, none: z.array(regex).default([]) }),
  read: z.array(reader).min(1),
  samples: z
    .array(
      z.strictObject({
        text: z.string().min(10),
        /** The kind that is recognised; another's id for a text that must not be taken for this one, null for none. */
        kind: z.string().nullable(),
        facts: z.partialRecord(fact, z.unknown()).default({}),
      }),
    )
    .min(2),
});

/** What somebody can attest about a vendor, and how its text is recognised. Written in `content/attestations/`. */
export type AttestationKind = z.output<typeof kindSchema>;

function parseKind(text: string, path: string): AttestationKind {
  const result = kindSchema.safeParse(parse(text));
  if (!result.success) throw new ContentInvalid(`${path}: ${z.prettifyError(result.error)}`, { path });
  if (`${result.data.id}.yaml` !== path) throw new ContentInvalid(`${path} holds the kind ${result.data.id}.`);
  return result.data;
}

/** All kinds of a content folder, by file name. */
export function loadAttestationKinds(contentFolder: string): AttestationKind[] {
  const folder = join(contentFolder, 'attestations');
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
  const kinds = files.sort().map((file) => parseKind(readFileSync(join(folder, file), 'utf8'), file));
  const stray = kinds.find(({ bridges }) => bridges && !kinds.some(({ chain }) => chain === bridges.chain));
  if (stray) throw new ContentInvalid(`${stray.id} bridges a chain that no kind is of.`);
  return kinds;
}
