import { createClassifier, type Classifier } from './classifier.ts';
import type { Detector } from './detector.ts';
import { loadDetectors } from './detector-load.ts';
import { InputInvalid } from './errors.ts';
import { createFieldClassifier, type FieldClassifier, type FieldFinding } from './field.ts';
import type { Evidence, Finding } from './finding.ts';

export interface ClassifyOptions {
  /** One JSON object a finding (in batch mode lines are always JSON). */
  readonly json?: boolean;
  /** Input is JSON lines with `text` and an optional `key`; each gives one line with its findings. */
  readonly batch?: boolean;
  readonly contentType?: string;
  /** Findings below are left out; 0.25 when absent, so that guesses are listed and marked by their confidence. */
  readonly minConfidence?: number;
  readonly types?: readonly string[];
  readonly detectors?: readonly Detector[];
}

/** A finding as the command prints it. */
export interface ClassifiedSpan {
  readonly type: string;
  /** Names of the same type in other vocabularies. */
  readonly aliases: readonly string[];
  readonly class: string;
  readonly category: string;
  readonly label: string;
  /** Offsets in Unicode characters (code points), end exclusive. */
  readonly start: number;
  readonly end: number;
  readonly startByte: number;
  readonly endByte: number;
  readonly confidence: number;
  readonly evidence: Evidence;
}

const CONFIDENCE_LISTED_MIN = 0.25;
/** Longest line of the batch mode. */
const LINE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * The logic behind `cordon classify`: reads bytes, yields lines without line ends. Throws `InputInvalid` for a batch
 * line that is no object with a text, naming the line.
 */
export async function* classifyCommand(
  input: AsyncIterable<Uint8Array>,
  options: ClassifyOptions = {},
): AsyncIterable<string> {
  const detectors = options.detectors ?? loadDetectors();
  const classifier = createClassifier({
    detectors,
    exhaustive: true,
    minConfidence: options.minConfidence ?? CONFIDENCE_LISTED_MIN,
    ...(options.types === undefined ? {} : { types: options.types }),
  });
  const aliases = new Map(detectors.map((detector) => [detector.type, detector.aliases]));
  if (options.batch === true)
    yield* classifyLines(input, classifier, createFieldClassifier(detectors), aliases, options);
  else yield* classifyDocument(input, classifier, aliases, options);
}

async function* classifyDocument(
  input: AsyncIterable<Uint8Array>,
  classifier: Classifier,
  aliases: ReadonlyMap<string, readonly string[]>,
  options: ClassifyOptions,
): AsyncIterable<string> {
  const stream = classifier.open(options.contentType === undefined ? {} : { contentType: options.contentType });
  const characters = new CharacterOffsets();
  const print = (finding: Finding): string => {
    const span = describe(finding, characters.spanOf(finding), aliases);
    return options.json === true
      ? JSON.stringify(span)
      : `${span.start}-${span.end}\t${span.type}\t${span.confidence}\t${span.evidence.masked ?? ''}\t${span.evidence.reasons.join(', ')}`;
  };
  for await (const chunk of input) {
    characters.push(chunk);
    for (const finding of stream.push(chunk)) yield print(finding);
    characters.forget(stream.settledThrough);
  }
  for (const finding of stream.end()) yield print(finding);
}

async function* classifyLines(
  input: AsyncIterable<Uint8Array>,
  classifier: Classifier,
  fields: FieldClassifier,
  aliases: ReadonlyMap<string, readonly string[]>,
  options: ClassifyOptions,
): AsyncIterable<string> {
  const encoder = new TextEncoder();
  let index = 0;
  for await (const line of linesOf(input)) {
    if (line.trim() === '') continue;
    const row = parseRow(line, index);
    const bytes = encoder.encode(row.text);
    const characters = new CharacterOffsets();
    characters.push(bytes);
    const found = classifier.scan(bytes, {
      ...(options.contentType === undefined ? {} : { contentType: options.contentType }),
      ...(row.key === undefined ? {} : { key: row.key }),
    });
    const field: FieldFinding | undefined = row.key === undefined ? undefined : fields.classify(row.key, row.parent);
    yield JSON.stringify({
      index,
      ...(row.id === undefined ? {} : { id: row.id }),
      ...(field === undefined ? {} : { field }),
      findings: found.map((finding) => describe(finding, characters.spanOf(finding), aliases)),
    });
    index++;
  }
}

interface Row {
  readonly text: string;
  readonly key: string | undefined;
  readonly parent: string | undefined;
  readonly id: string | number | undefined;
}

function parseRow(line: string, index: number): Row {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (error) {
    throw new InputInvalid(`line ${index + 1} is no JSON`, { line: index + 1 }, error);
  }
  const row = typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}; // checked just before
  const { text, key, parent, id } = row;
  if (typeof text !== 'string' && typeof key !== 'string') {
    throw new InputInvalid(`line ${index + 1} has no "text"`, { line: index + 1 });
  }
  return {
    text: typeof text === 'string' ? text : '',
    key: typeof key === 'string' && key !== '' ? key : undefined,
    parent: typeof parent === 'string' ? parent : undefined,
    id: typeof id === 'string' || typeof id === 'number' ? id : undefined,
  };
}

function describe(
  finding: Finding,
  span: { start: number; end: number },
  aliases: ReadonlyMap<string, readonly string[]>,
): ClassifiedSpan {
  return {
    type: finding.type,
    aliases: aliases.get(finding.type) ?? [],
    class: finding.class,
    category: finding.category,
    label: finding.label,
    start: span.start,
    end: span.end,
    startByte: finding.start,
    endByte: finding.end,
    confidence: finding.confidence,
    evidence: finding.evidence,
  };
}

/** Turns byte offsets into character offsets while bytes stream by; offsets must be asked for in order. */
class CharacterOffsets {
  private chunks: Uint8Array[] = [];
  private firstByte = 0;
  private byte = 0;
  private character = 0;

  push(chunk: Uint8Array): void {
    this.chunks.push(chunk.slice());
  }

  spanOf(finding: Finding): { start: number; end: number } {
    // Readings of the same span begin before where the last one ended, so the start is counted from a mark.
    if (finding.start < this.byte) {
      this.byte = this.mark.byte;
      this.character = this.mark.character;
    }
    const start = this.advance(finding.start);
    this.mark = { byte: this.byte, character: this.character };
    return { start, end: this.advance(finding.end) };
  }

  private mark = { byte: 0, character: 0 };

  private advance(to: number): number {
    let chunkStart = this.firstByte;
    for (const chunk of this.chunks) {
      const chunkEnd = chunkStart + chunk.length;
      while (this.byte < Math.min(to, chunkEnd) && this.byte >= chunkStart) {
        // Continuation bytes of UTF-8 begin with the bits 10.
        if (((chunk[this.byte - chunkStart] ?? 0) & 0xc0) !== 0x80) this.character++;
        this.byte++;
      }
      chunkStart = chunkEnd;
      if (chunkStart >= to) break;
    }
    return this.character;
  }

  /** Drops chunks that no later finding begins in. */
  forget(settledThrough: number): void {
    if (this.byte < settledThrough) {
      this.advance(settledThrough);
      this.mark = { byte: this.byte, character: this.character };
    }
    while (this.chunks.length > 1 && this.firstByte + (this.chunks[0]?.length ?? 0) <= this.mark.byte) {
      this.firstByte += this.chunks.shift()?.length ?? 0;
    }
  }
}

async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of input) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_BYTES_MAX) throw new InputInvalid('a line is too long', { limit: LINE_BYTES_MAX });
    yield* lines;
  }
  if (rest !== '') yield rest;
}
