import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadParsers, loadRules, type ParserSet, type RuleSet } from '@cordon/detection';
import type { Logger } from '@cordon/kernel';
import { parse } from 'yaml';
import { z } from 'zod';

const FOLDER = fileURLToPath(new URL('../../../content/', import.meta.url));
const SAMPLE_BYTES_MAX = 512 * 1024;
const SAMPLES_MAX = 20;

/** A rule's samples: raw records that it must fire on, and others on which it must stay quiet. */
export interface RuleSamples {
  readonly fires: readonly unknown[];
  readonly quiet: readonly unknown[];
}

export interface DetectionContent {
  readonly parsers: ParserSet;
  readonly ruleSet: RuleSet;
  /** The customer's own folder, and what could not be read in it. */
  readonly own: { readonly folder: string | null; readonly files: ReadonlySet<string>; readonly rules: number };
  /** Samples beside a rule's file; null where there are none. */
  samples(file: string): Promise<RuleSamples | null>;
}

const samplesFile = z.looseObject({
  fires: z.array(z.unknown()).default([]),
  quiet: z.array(z.unknown()).default([]),
});

/** `own/` before each file of the customer's, so that it is told apart from one of ours of the same name. */
const OWN = 'own/';

async function loadOwn(folder: string | null, parsers: ParserSet, logger: Logger): Promise<RuleSet> {
  const none: RuleSet = { rules: [], correlations: [], problems: [] };
  if (folder === null) return none;
  const named = (file: string) => `${OWN}${file}`;
  try {
    const { rules, correlations, problems } = await loadRules(folder, {
      alias: parsers.alias,
      logsource: parsers.logsource,
    });
    return {
      rules: rules.map((rule) => ({ ...rule, file: named(rule.file) })),
      correlations: correlations.map((one) => ({ ...one, file: named(one.file) })),
      problems: problems.map((problem) => ({ ...problem, file: named(problem.file) })),
    };
  } catch (error) {
    // A checkout that is being replaced must not keep Cordon from starting.
    logger.error({ err: error, folder }, 'the folder of own detections could not be read');
    return { ...none, problems: [{ file: OWN, message: error instanceof Error ? error.message : String(error) }] };
  }
}

/** Ours, and of the customer's what has an id of its own. */
function joinSets(ours: RuleSet, theirs: RuleSet): RuleSet {
  const known = new Set([...ours.rules, ...ours.correlations].map(({ id }) => id));
  const isNew = ({ id }: { id: string }) => !known.has(id);
  const twice = [...theirs.rules, ...theirs.correlations].filter((one) => !isNew(one));
  return {
    rules: [...ours.rules, ...theirs.rules.filter(isNew)],
    correlations: [...ours.correlations, ...theirs.correlations.filter(isNew)],
    problems: [
      ...ours.problems,
      ...theirs.problems,
      ...twice.map(({ id, file }) => ({ file, message: `The id ${id} is one of Cordon's own rules.` })),
    ],
  };
}

/**
 * The parsers and detections that Cordon ships, and the customer's (a folder, or a Git checkout that something of
 * theirs keeps up to date). A file that can't be read is logged and shown, and stops none of the others.
 */
export async function loadDetectionContent(
  logger: Logger,
  rulesFolder: string | null = null,
): Promise<DetectionContent> {
  const parsers = await loadParsers(join(FOLDER, 'parsers'));
  const ours = await loadRules(join(FOLDER, 'detections'), { alias: parsers.alias });
  const theirs = await loadOwn(rulesFolder, parsers, logger);
  const ruleSet = joinSets(ours, theirs);
  for (const problem of ruleSet.problems) logger.error(problem, 'a detection could not be read');
  const files = new Set([...theirs.rules, ...theirs.correlations].map(({ file }) => file));
  const known = new Set([...ruleSet.rules, ...ruleSet.correlations].map(({ file }) => file));
  return {
    parsers,
    ruleSet,
    own: { folder: rulesFolder, files, rules: theirs.rules.length + theirs.correlations.length },
    async samples(file) {
      if (!known.has(file)) return null;
      const path = file.startsWith(OWN)
        ? join(rulesFolder ?? '', file.slice(OWN.length))
        : join(FOLDER, 'detections', file);
      try {
        const text = await readFile(path.replace(/\.ya?ml$/, '.samples.yaml'), 'utf8');
        if (text.length > SAMPLE_BYTES_MAX) return null;
        const { fires, quiet } = samplesFile.parse(parse(text));
        return { fires: fires.slice(0, SAMPLES_MAX), quiet: quiet.slice(0, SAMPLES_MAX) };
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
        logger.warn({ err: error, file }, 'the samples of a detection could not be read');
        return null;
      }
    },
  };
}

/** Whether records of this product, stream or log type can be read. */
export function knowsProduct({ streams }: ParserSet, name: string): boolean {
  const wanted = name.toLowerCase();
  return streams.some(({ product, service, document }) =>
    [product, `${product}/${service}`, ...document.logTypes].some((known) => known.toLowerCase() === wanted),
  );
}
