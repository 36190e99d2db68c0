import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ContentInvalid } from '../errors.ts';
import { SEVERITIES } from '../pentest/finding.ts';

export const checklistSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,40}$/),
  title: z.string().min(3).max(120),
  why: z.string().min(10).max(600),
  everyMonths: z.int().min(1).max(60),
  items: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[a-z0-9-]{1,30}$/),
        text: z.string().min(5).max(300),
        /** What shows it. */
        evidence: z.string().min(3).max(300),
        /** Of the finding that a "no" becomes. */
        severity: z.enum(SEVERITIES),
      }),
    )
    .min(1)
    .max(200),
});

/** What an own audit of a vendor looks at. Written in `content/audits/`. */
export type Checklist = z.output<typeof checklistSchema>;

/** All checklists of a content folder, by file name. */
export function loadChecklists(contentFolder: string): Checklist[] {
  const folder = join(contentFolder, 'audits');
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
  return files.sort().map((file) => {
    const result = checklistSchema.safeParse(parse(readFileSync(join(folder, file), 'utf8')));
    if (!result.success) throw new ContentInvalid(`${file}: ${z.prettifyError(result.error)}`, { path: file });
    const ids = result.data.items.map(({ id }) => id);
    if (new Set(ids).size < ids.length) throw new ContentInvalid(`${file} names an item twice.`, { path: file });
    return result.data;
  });
}
