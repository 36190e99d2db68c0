import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadParsers, loadRules, type ParserSet, type RuleSet } from '@cordon/detection';
import type { Logger } from '@cordon/kernel';

const FOLDER = fileURLToPath(new URL('../../../content/', import.meta.url));

export interface DetectionContent {
  readonly parsers: ParserSet;
  readonly ruleSet: RuleSet;
}

/** The parsers and detections that Cordon ships. A file that can't be read is logged, and stops none of the others. */
export async function loadDetectionContent(logger: Logger): Promise<DetectionContent> {
  const parsers = await loadParsers(join(FOLDER, 'parsers'));
  const ruleSet = await loadRules(join(FOLDER, 'detections'), { alias: parsers.alias });
  for (const problem of ruleSet.problems) logger.error(problem, 'a detection could not be read');
  return { parsers, ruleSet };
}

/** Whether records of this product, stream or log type can be read. */
export function knowsProduct({ streams }: ParserSet, name: string): boolean {
  const wanted = name.toLowerCase();
  return streams.some(({ product, service, document }) =>
    [product, `${product}/${service}`, ...document.logTypes].some((known) => known.toLowerCase() === wanted),
  );
}
