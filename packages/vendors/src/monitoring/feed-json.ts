import { z } from 'zod';
import { ContentUnrecognised } from '../errors.ts';

export const text = (max: number) => z.string().trim().min(1).max(max);
export const instant = z.iso.datetime({ offset: true }).transform((value) => Date.parse(value));

/** What an address gave, by its schema; throws `ContentUnrecognised` with the first thing that is wrong. */
export function parseJson<Schema extends z.ZodType>(schema: Schema, content: string, what: string): z.output<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (cause) {
    throw new ContentUnrecognised(`This is no JSON, so it is no ${what}.`, {}, cause);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new ContentUnrecognised(`This is no ${what}: ${issue?.path.join('.')}: ${issue?.message}`);
}
