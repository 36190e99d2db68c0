import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '@cordon/kernel';
import { parse } from 'yaml';
import { z } from 'zod';
import { ScenarioInvalid, ScenarioUnknown } from './errors.ts';
import { eventFile, type Scenario, scenarioDocument, scenarioProblems } from './scenario.ts';

const FILE = 'scenario.yaml';

async function loadOne(folder: string, name: string): Promise<Scenario> {
  const read = async (file: string): Promise<unknown> => parse(await readFile(join(folder, name, file), 'utf8'));
  const fail = (why: string): never => {
    throw new ScenarioInvalid(`content/scenarios/${name}: ${why}`);
  };
  const document = scenarioDocument.safeParse(await read(FILE));
  if (!document.success) return fail(z.prettifyError(document.error));
  const files = document.data.injects.flatMap(({ events }) => (events ? [events.file] : []));
  const records: Record<string, z.output<typeof eventFile>> = {};
  for (const file of new Set(files)) {
    const parsed = eventFile.safeParse(await read(file));
    if (!parsed.success) return fail(`${file}: ${z.prettifyError(parsed.error)}`);
    records[file] = parsed.data;
  }
  const whole: Scenario = { ...document.data, name, records };
  const problems = scenarioProblems(whole);
  return problems.length === 0 ? whole : fail(problems.join('; '));
}

/** Every scenario of the folder, by name. One that can't be read is an error: it is part of the product. */
export async function loadScenarios(folder: string): Promise<ReadonlyMap<string, Scenario>> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const all = await Promise.all(names.sort().map(async (name) => [name, await loadOne(folder, name)] as const));
  return new Map(all);
}

export function scenarioNamed(all: ReadonlyMap<string, Scenario>, name: string): Scenario {
  const found = all.get(name);
  if (!found) throw new ScenarioUnknown(`There is no scenario ${name}.`);
  return found;
}

export function digestOf(of: Scenario): string {
  return createHash('sha256').update(canonicalJson(of)).digest('hex');
}
