import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LABELS, type CatalogueEntry, type Detector, type Label } from './detector.ts';
import { DetectorInvalid } from './errors.ts';

/** Where the repository keeps its detectors. */
export const DETECTORS_FOLDER = fileURLToPath(new URL('../../../content/detectors/', import.meta.url));

type Row = Record<string, unknown>;

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readText(row: Row, name: string, where: string): string | undefined {
  const value = row[name];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value !== '') return value;
  throw new DetectorInvalid(`${where}: ${name} must be text`, { where, name });
}

function readTexts(row: Row, name: string, where: string): readonly string[] {
  const value = row[name];
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '')) return value;
  throw new DetectorInvalid(`${where}: ${name} must be a list of texts`, { where, name });
}

function readNumber(row: Row, name: string, where: string): number | undefined {
  const value = row[name];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= 0) return value;
  throw new DetectorInvalid(`${where}: ${name} must be a number`, { where, name });
}

function readMixed(row: Row, where: string): readonly [number, number] | undefined {
  if (row['mixed'] === undefined) return undefined;
  const [least, most] = Array.isArray(row['mixed']) ? row['mixed'] : [];
  if (typeof least === 'number' && typeof most === 'number' && least <= most && most <= 40) return [least, most];
  throw new DetectorInvalid(`${where}: mixed must be [least, most], at most 40`, { where });
}

function readLabel(row: Row, where: string): Label {
  const label = LABELS.find((known) => known === row['label']);
  if (label) return label;
  throw new DetectorInvalid(`${where}: label must be one of ${LABELS.join(', ')}`, { where });
}

const FIELDS = new Set(
  (
    'type class category label title aliases country formats weak mixed pattern validator keys near not alone ' +
    'confirmed whole anchors keywords value entropy allow back long loose generic standIn scanner samples'
  ).split(' '),
);

function required(value: string | undefined, name: string, where: string): string {
  if (value !== undefined) return value;
  throw new DetectorInvalid(`${where}: ${name} is missing`, { where, name });
}

/** Checks one row of a detector file; `defaults` are the file's own values for fields the row leaves out. */
export function parseDetector(input: unknown, defaults: Row, file: string): Detector {
  if (!isRow(input)) throw new DetectorInvalid(`${file}: a detector must be an object`, { where: file });
  const row: Row = { ...defaults, ...input };
  const where = `${file}: ${typeof row['type'] === 'string' ? row['type'] : '?'}`;
  for (const name of Object.keys(row)) {
    if (!FIELDS.has(name)) throw new DetectorInvalid(`${where}: unknown field ${name}`, { where, name });
  }
  const samples = isRow(row['samples']) ? row['samples'] : {};
  const texts = (name: string): readonly string[] => readTexts(row, name, where);
  const optional = {
    country: readText(row, 'country', where),
    mixed: readMixed(row, where),
    pattern: readText(row, 'pattern', where),
    validator: readText(row, 'validator', where),
    alone: readNumber(row, 'alone', where),
    whole: readNumber(row, 'whole', where),
    value: readText(row, 'value', where),
    entropy: readNumber(row, 'entropy', where),
    scanner: readText(row, 'scanner', where),
    back: readNumber(row, 'back', where),
    long: row['long'] === true ? true : undefined,
    loose: row['loose'] === true ? true : undefined,
    generic: row['generic'] === true ? true : undefined,
    standIn: row['standIn'] === true ? true : undefined,
  };
  const present = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return {
    type: required(readText(row, 'type', where), 'type', where),
    class: required(readText(row, 'class', where), 'class', where),
    category: required(readText(row, 'category', where), 'category', where),
    label: readLabel(row, where),
    title: required(readText(row, 'title', where), 'title', where),
    aliases: texts('aliases'),
    formats: texts('formats'),
    weak: texts('weak'),
    keys: texts('keys'),
    near: texts('near'),
    not: texts('not'),
    anchors: texts('anchors'),
    keywords: texts('keywords'),
    allow: texts('allow'),
    confirmed: readNumber(row, 'confirmed', where) ?? 0.95,
    samples: { hit: readTexts(samples, 'hit', where), miss: readTexts(samples, 'miss', where) },
    ...present,
  };
}

/** Checks a whole detector file: `{ defaults?, detectors: [...] }`. */
export function parseDetectorFile(input: unknown, file: string): Detector[] {
  if (!isRow(input) || !Array.isArray(input['detectors'])) {
    throw new DetectorInvalid(`${file}: must hold { "detectors": [...] }`, { where: file });
  }
  const defaults = isRow(input['defaults']) ? input['defaults'] : {};
  return input['detectors'].map((row: unknown) => parseDetector(row, defaults, file));
}

/**
 * Reads every `*.json` of a folder, in the order of their names. The composition calls it once at start: reading is
 * synchronous, and a file that is wrong is refused with a `DetectorInvalid` that names file, type and field.
 */
export function loadDetectors(folder: string = DETECTORS_FOLDER): readonly Detector[] {
  const detectors: Detector[] = [];
  const seen = new Set<string>();
  for (const name of readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()) {
    const content: unknown = JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'));
    for (const detector of parseDetectorFile(content, name)) {
      if (seen.has(detector.type))
        throw new DetectorInvalid(`${name}: ${detector.type} is there twice`, { where: name });
      seen.add(detector.type);
      detectors.push(detector);
    }
  }
  return detectors;
}

/** The published list of what can be found. */
export function detectorCatalogue(detectors: readonly Detector[] = loadDetectors()): readonly CatalogueEntry[] {
  return detectors.map((detector) => ({
    type: detector.type,
    class: detector.class,
    category: detector.category,
    label: detector.label,
    description: detector.title,
    aliases: detector.aliases,
    ...(detector.country === undefined ? {} : { country: detector.country }),
  }));
}
