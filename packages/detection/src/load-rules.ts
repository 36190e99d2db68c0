import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { CordonError } from '@cordon/kernel';
import { type Correlation } from './correlation/correlation.ts';
import { RuleInvalid } from './errors.ts';
import { type Logsource, type Rule } from './sigma/ast.ts';
import { type Placeholders } from './sigma/field-item.ts';
import { applyFilters, parseRuleFile, type ParseOptions, type RuleFilter } from './sigma/parse.ts';

const FILES_MAX = 20_000;
const PLACEHOLDERS_FILE = 'placeholders.yaml';

/** Everything a folder of detections holds. `problems` are files that couldn't be read; the others still run. */
export interface RuleSet {
  readonly rules: readonly Rule[];
  readonly correlations: readonly Correlation[];
  readonly problems: readonly { readonly file: string; readonly message: string }[];
}

export interface LoadOptions {
  /** Stands over what the folder's own placeholders.yaml says. */
  readonly placeholders?: Placeholders;
  readonly alias?: (logsource: Logsource, field: string) => string | undefined;
  /** Our product and service for the log source of a public rule. */
  readonly logsource?: (logsource: Logsource) => Logsource;
}

const placeholderFile = z.record(z.string(), z.array(z.string()));

async function ruleFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && /(?<!\.samples)\.ya?ml$/.test(entry.name) && entry.name !== PLACEHOLDERS_FILE)
    .map((entry) => join(entry.parentPath, entry.name));
  if (files.length > FILES_MAX) throw new RuleInvalid(`${folder} holds more than ${FILES_MAX} rule files.`, { folder });
  return files.sort();
}

async function readPlaceholders(folder: string): Promise<Placeholders> {
  const text = await readFile(join(folder, PLACEHOLDERS_FILE), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '{}';
    throw error;
  });
  return placeholderFile.parse(parse(text));
}

/** Loads all Sigma rules, correlations and filters under a folder. Ids must be unique. */
export async function loadRules(folder: string, options: LoadOptions = {}): Promise<RuleSet> {
  const placeholders = { ...(await readPlaceholders(folder)), ...options.placeholders };
  const rules: Rule[] = [];
  const correlations: Correlation[] = [];
  const filters: RuleFilter[] = [];
  const problems: { file: string; message: string }[] = [];
  const ids = new Set<string>();
  for (const path of await ruleFiles(folder)) {
    const file = relative(folder, path);
    const parseOptions: ParseOptions = { placeholders, file, ...(options.alias ? { alias: options.alias } : {}) };
    try {
      const found = parseRuleFile(await readFile(path, 'utf8'), parseOptions);
      for (const one of [...found.rules, ...found.correlations]) {
        if (ids.has(one.id)) throw new RuleInvalid(`${file}: the id ${one.id} is used twice.`, { file });
        ids.add(one.id);
      }
      rules.push(...found.rules);
      correlations.push(...found.correlations);
      filters.push(...found.filters);
    } catch (error) {
      if (!(error instanceof CordonError)) throw error;
      problems.push({ file, message: error.message });
    }
  }
  const here = options.logsource ?? ((logsource: Logsource): Logsource => logsource);
  const filtered = applyFilters(rules, filters).map((rule) => ({ ...rule, logsource: here(rule.logsource) }));
  return { rules: filtered, correlations, problems };
}
