import { z } from 'zod';

/** What a gateway learned of one app from one integration's calls since it last told. */
const lessonLine = z.strictObject({
  app: z.uuid(),
  integration: z.strictObject({ id: z.string().min(1).max(128), name: z.string().min(1).max(200) }),
  calls: z.int().positive(),
  at: z.int().nonnegative(),
  /** Read by `@cordon/openapi` alone, strictly. */
  state: z.unknown(),
});
export type LessonLine = z.output<typeof lessonLine>;

/** The lines of a batch; those that are no lessons are counted. */
export function parseLessons(ndjson: string): { readonly lines: LessonLine[]; readonly refused: number } {
  const lines: LessonLine[] = [];
  let refused = 0;
  for (const text of ndjson.split('\n')) {
    if (text === '') continue;
    try {
      lines.push(lessonLine.parse(JSON.parse(text)));
    } catch {
      refused += 1;
    }
  }
  return { lines, refused };
}
