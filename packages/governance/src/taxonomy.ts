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

const FOLDER = new URL('../../../content/taxonomy/', import.meta.url);

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
}

/** What Cordon knows of categories: read once, by whoever composes. */
export function loadTaxonomy(): { readonly names: FieldNames; readonly policy: LabelPolicy } {
  return {
    names: fieldNames.parse(read('field-names.json')),
    policy: categoryLabels.parse(read('category-labels.json')),
  };
}
