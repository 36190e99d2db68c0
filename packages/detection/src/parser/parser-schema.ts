import { z } from 'zod';
import { OCSF_CLASSES, type OcsfClassName } from './ocsf-class.ts';

const path = z.string().min(1).max(500);
const paths = z.union([path, z.array(path).min(1)]).transform((one) => (typeof one === 'string' ? [one] : one));
const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** Where one OCSF attribute comes from: a path, the first of several that has a value, or more with options. */
const source = z.union([
  paths.transform((list) => ({ from: list })),
  z.strictObject({
    from: paths.optional(),
    /** Vendor's value -> OCSF value, by text without regard to case; others stay as they are. */
    map: z.record(z.string(), scalar).optional(),
    /** Used where no path has a value; alone, a constant. */
    default: scalar.optional(),
    /** Take what the first group of this RE2 expression finds. */
    extract: z.string().optional(),
    /** Put before the text. */
    prefix: z.string().optional(),
    /** Keep all values of a list instead of the first. */
    many: z.boolean().optional(),
    /** Keep all values of a list as one text, with this between them. */
    join: z.string().optional(),
    /** How many values there are; with a text, how many equal it without regard to case. */
    count: z.union([z.literal(true), z.string()]).optional(),
    /** The difference to the value at this path, both read alike. */
    minus: path.optional(),
    /** Give the value as a number (`number`) or as ms since epoch (`time`). */
    as: z.enum(['number', 'time']).optional(),
  }),
]);

const oneOrMore = z
  .union([z.string(), z.array(z.string()).min(1)])
  .transform((one) => (typeof one === 'string' ? [one] : one));

// zod needs the tuple form that Object.keys can't give; the keys are the class names by construction.
const classNames = Object.keys(OCSF_CLASSES) as [OcsfClassName, ...OcsfClassName[]];

const activity = z.strictObject({
  /** Operations as text with `*`, without regard to case. */
  operation: oneOrMore,
  class: z.enum(classNames),
  activity: z.string().default('other'),
});

/** One kind of record that a product writes. */
const stream = z.strictObject({
  service: z.string().regex(/^[a-z0-9_]+$/),
  title: z.string().optional(),
  /** Names that other collections give this stream. */
  logTypes: z.array(z.string()).default([]),
  /** Log sources under which public Sigma rules speak of this stream. */
  sigma: z.array(z.strictObject({ product: z.string(), service: z.string().optional() })).default([]),
  /** Paths that tell this stream from the product's others, alone or with the value they must have; all must hold. */
  when: z.array(z.union([path, z.record(path, z.string())])).default([]),
  /** Top-level keys in the vendor's spelling; collectors that fold case are undone. */
  keys: z.array(path).default([]),
  /** The value at this path of the record is the event; the record itself where the path is absent. */
  unwrap: path.optional(),
  /** A list of objects in the event; each becomes an event of its own, laid over the rest. */
  split: path.optional(),
  /** Lists of name and value that become objects. */
  pairs: z.array(z.strictObject({ path, name: path, value: z.array(path).min(1) })).default([]),
  /** Texts that hold JSON and are opened. */
  json: z.array(path).default([]),
  id: paths.optional(),
  time: paths,
  operation: paths,
  activities: z.array(activity).default([]),
  otherwise: z.strictObject({ class: z.enum(classNames), activity: z.string().default('other') }),
  /** OCSF attribute -> where it comes from. */
  fields: z.record(path, source),
  /** Field names of public rules -> paths in this stream's events. */
  aliases: z.record(z.string(), path).default({}),
});

/** `content/parsers/<product>/parser.yaml`. */
export const parserDocument = z.strictObject({
  product: z.string().regex(/^[a-z0-9_]+$/),
  title: z.string(),
  vendor: z.string(),
  references: z.array(z.string()).default([]),
  streams: z.array(stream).min(1),
});

export type ParserDocument = z.infer<typeof parserDocument>;
export type StreamDocument = z.infer<typeof stream>;
export type SourceDocument = z.infer<typeof source>;
