import { readFileSync } from 'node:fs';
import { LABELS } from '@cordon/classifier';
import { z } from 'zod';
import type { FieldNames } from './field-category.ts';
import type { LabelPolicy } from './label.ts';

const label = z.enum(LABELS);
const category = z.string().regex(/^[a-z_]+(?:\.[a-z_]+)*$/);

const fieldNames = z.strictObject({
  source: z.string(),
  persons: z.array(z.string()),
  rules: z.array(
    z.strictObject({
      last: z.array(z.string()),
      in: z.array(z.string()).default([]),
      within: z.literal('person').optional(),
      types: z.array(z.string()).default([]),
      category,
    }),
  ),
});

const categoryLabels = z.strictObject({
  source: z.string(),
  labels: z.record(category, label),
  combinations: z.array(z.strictObject({ name: z.string(), all: z.array(category), label })),
  volumes: z.array(z.strictObject({ name: z.string(), label, records: z.int().positive(), raised: label })),
});

const country = z.string().regex(/^[a-z]{2,3}$/);
const regions = z.strictObject({
  source: z.string(),
  eea: z.array(country),
  adequate: z.record(country, z.string()),
  others: z.array(country),
  aliases: z.record(z.string(), country),
});
export type Regions = Readonly<z.output<typeof regions>>;

const term = z.string().regex(/^[A-Z][A-Za-z0-9-]*$/);
const dpvTerms = z.strictObject({
  source: z.string(),
  personalData: z.record(category, term),
  subjects: z.record(z.string(), term),
  legalBases: z.record(z.string(), term),
});
export type DpvTerms = Readonly<z.output<typeof dpvTerms>>;

const FOLDER = new URL('../../../content/taxonomy/', import.meta.url);

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
}

/** What Cordon knows of categories: read once, by whoever composes. */
export function loadTaxonomy(): {
  readonly names: FieldNames;
  readonly policy: LabelPolicy;
  readonly regions: Regions;
  readonly dpv: DpvTerms;
} {
  return {
    regions: regions.parse(read('regions.json')),
    dpv: dpvTerms.parse(read('dpv.json')),
    names: fieldNames.parse(read('field-names.json')),
    policy: categoryLabels.parse(read('category-labels.json')),
  };
}
