import { readdir, readFile } from 'node:fs/promises';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import type { SignInContent } from './sign-in-decision.ts';
import { signInNetwork } from './sign-in-facts.ts';

const FOLDER = new URL('../../../../content/sign-in/', import.meta.url);

const template = z.strictObject({
  title: z.string().min(1).max(100),
  description: z.string().min(1).max(400),
  text: z.string().min(1),
  networks: z.array(signInNetwork).default([]),
});
/** A ready policy to begin from. */
export interface SignInTemplate extends z.output<typeof template> {
  readonly name: string;
}

let content: Promise<SignInContent> | undefined;

/** Schema and built-in policy; read once in a process, they are part of the program. */
export function loadSignInContent(): Promise<SignInContent> {
  content ??= (async () => ({
    schema: await readFile(new URL('schema.cedarschema', FOLDER), 'utf8'),
    base: await readFile(new URL('base.cedar', FOLDER), 'utf8'),
  }))();
  return content;
}

export async function loadSignInTemplates(): Promise<readonly SignInTemplate[]> {
  const folder = new URL('templates/', FOLDER);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).toSorted();
  return Promise.all(
    names.map(async (name) => ({
      name: name.slice(0, -'.yaml'.length),
      ...template.parse(parseYaml(await readFile(new URL(name, folder), 'utf8'))),
    })),
  );
}
