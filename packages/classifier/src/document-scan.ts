import { CandidateJudge } from './candidate.ts';
import type { ScanOptions, ScanStream, ScanTools } from './classifier.ts';
import { kindOfBytes, kindOfContentType, type ContentKind } from './content-kind.ts';
import type { Finding, RawFinding } from './finding.ts';
import type { KeyHint } from './keys.ts';
import { publish, resolveOverlaps } from './resolve.ts';
import { CsvScanner } from './scan-csv.ts';
import { FormScanner } from './scan-form.ts';
import { JsonScanner } from './scan-json.ts';
import { TextScanner } from './scan-text.ts';
import { XmlScanner } from './scan-xml.ts';
import { Findings } from './segment.ts';
import type { StructuredScanner } from './structured.ts';
import { ValueScanner } from './value-scanner.ts';

/** Chunks are gathered to this size before they are scanned, so that small ones don't pay for the overlap each time. */
const GATHER_BYTES_MIN = 32 * 1024;
/** A single token longer than this is read as text instead of waiting for its end. */
const TOKEN_BYTES_MAX = 1024 * 1024;
/** Text kept back at the end of a window: no finding but a PEM block is longer. */
const HOLD_BYTES = 8 * 1024;
/** Text before a window's new part that is scanned again as context. */
const LOOKBACK_BYTES = 256;

const EMPTY: Uint8Array = Buffer.alloc(0);

/** One document's scan: whole, or chunk by chunk with the state that has to be carried. */
export class DocumentScan implements ScanStream {
  private readonly tools: ScanTools;
  private readonly findings = new Findings();
  private readonly text: TextScanner;
  private readonly values: ValueScanner;
  private readonly hint: KeyHint | undefined;
  private kind: ContentKind | undefined;
  private structured: StructuredScanner | undefined;
  /** Bytes not yet settled, and their offset in the document. */
  private pending: Uint8Array = EMPTY;
  private base = 0;
  /** Chunks that came since. */
  private gathered: Uint8Array[] = [];
  private gatheredBytes = 0;
  /** In text: findings that begin before this offset of `pending` are out already. */
  private reported = 0;

  constructor(tools: ScanTools, options: ScanOptions) {
    this.tools = tools;
    const judge = new CandidateJudge(tools.compiled, this.findings, tools, tools.phone);
    this.text = new TextScanner(tools.compiled, judge, this.findings, tools.custom);
    this.values = new ValueScanner(tools.compiled, this.text, this.findings, tools.custom !== undefined);
    this.hint = options.key === undefined ? undefined : tools.keys.hint(options.key);
    this.kind = kindOfContentType(options.contentType);
  }

  get settledThrough(): number {
    return this.base + this.reported;
  }

  scanWhole(bytes: Uint8Array): Finding[] {
    this.pending = bytes;
    return this.process(true);
  }

  push(chunk: Uint8Array): Finding[] {
    // A Buffer's own slice is a view, and the caller may reuse the memory.
    this.gathered.push(new Uint8Array(chunk));
    this.gatheredBytes += chunk.length;
    // New bytes count, not what is pending, so that many small chunks behind a long token don't scan it each time.
    if (this.gatheredBytes < GATHER_BYTES_MIN) return [];
    this.join();
    return this.process(false);
  }

  end(): Finding[] {
    this.join();
    return this.process(true);
  }

  private join(): void {
    const joined = Buffer.alloc(this.pending.length + this.gatheredBytes);
    joined.set(this.pending);
    let offset = this.pending.length;
    for (const chunk of this.gathered) {
      joined.set(chunk, offset);
      offset += chunk.length;
    }
    this.pending = joined;
    this.gathered = [];
    this.gatheredBytes = 0;
  }

  private process(final: boolean): Finding[] {
    this.kind ??= kindOfBytes(this.pending);
    if (this.kind === 'opaque') {
      this.base += this.pending.length;
      this.pending = EMPTY;
      return [];
    }
    const out: Finding[] = [];
    if (this.kind !== 'text') this.processStructured(this.kind, final, out);
    if (this.kind === 'text') this.processText(final, out);
    return out;
  }

  private processStructured(kind: ContentKind, final: boolean, out: Finding[]): void {
    this.structured ??= this.openStructured(kind);
    const { pending } = this;
    const consumed = this.structured.scan(pending, 0, pending.length, final);
    this.flush(out, this.findings.list.splice(0));
    this.drop(consumed);
    const stuck = this.pending.length > TOKEN_BYTES_MAX && consumed === 0;
    if (this.structured.broken || stuck) this.kind = 'text';
  }

  private openStructured(kind: ContentKind): StructuredScanner {
    const { keys } = this.tools;
    if (kind === 'csv') return new CsvScanner(keys, this.values);
    if (kind === 'form') return new FormScanner(keys, this.values);
    if (kind === 'xml') return new XmlScanner(keys, this.values);
    return new JsonScanner(keys, this.values, this.hint);
  }

  private processText(final: boolean, out: Finding[]): void {
    const { pending } = this;
    if (!final && pending.length < HOLD_BYTES * 2) return;
    const complete = final && this.base === 0;
    this.text.scan({ bytes: pending, start: 0, end: pending.length, encoding: 'text', hint: this.hint, complete });
    if (complete && this.hint !== undefined) this.values.scanByKey(pending, this.hint);
    const found = this.findings.list.splice(0).filter((finding) => finding.start >= this.reported);
    if (final) {
      this.flush(out, found);
      this.drop(pending.length);
      return;
    }
    // What reaches past the cut is left for the next window, from its beginning.
    let cut = pending.length - HOLD_BYTES;
    for (const finding of found) if (finding.start < cut && finding.end > cut) cut = finding.start;
    this.flush(
      out,
      found.filter((finding) => finding.start < cut),
    );
    this.reported = cut;
    const keepFrom = Math.max(0, cut - LOOKBACK_BYTES);
    this.drop(keepFrom);
  }

  private flush(out: Finding[], raw: readonly RawFinding[]): void {
    const { compiled, minConfidence, exhaustive } = this.tools;
    for (const found of resolveOverlaps(compiled, raw, { minConfidence, alternatives: exhaustive })) {
      const finding = publish(compiled, found, this.pending, this.base);
      if (finding) out.push(finding);
    }
  }

  private drop(count: number): void {
    this.pending = this.pending.subarray(count);
    this.base += count;
    this.reported = Math.max(0, this.reported - count);
  }
}
