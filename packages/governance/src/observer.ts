import type { Finding } from '@cordon/classifier';
import { fingerprint, type PrintKind, printKind } from './fingerprint.ts';
import { FIELDS_PER_LINE_MAX, type ObservationLine, PRINTS_PER_LINE_MAX } from './observation.ts';
import { type Leaf, walkForm, walkJson } from './walk-json.ts';

/** Of a larger body the beginning speaks for the rest; findings beyond it still count, without a path. */
const WALK_BYTES_MAX = 1024 * 1024;
/** Bodies without findings are looked at for their shape this often in one period and operation. */
const SHAPES_MAX = 5;
const GROUPS_MAX = 1_000;

/** One body that passed, with what was found in it. */
export interface ObservedBody {
  readonly app: { readonly id: string; readonly name: string };
  readonly integration: { readonly id: string; readonly name: string };
  readonly operation: { readonly id: string; readonly template: string };
  /** `read`: an app's answer. `write`: what an integration sent to it. */
  readonly direction: 'read' | 'write';
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly findings: readonly Finding[];
  /** Milliseconds. */
  readonly at: number;
}

interface Group {
  readonly head: Omit<ObservationLine, 'calls' | 'bytes' | 'records' | 'fields' | 'prints' | 'keyId' | 'lastAt'>;
  readonly keyId: string | null;
  calls: number;
  bytes: number;
  records: number;
  lastAt: number;
  readonly fields: Map<string, { type: string; samples: number; detections: Record<string, number> }>;
  readonly prints: Map<string, { kind: PrintKind; path: string; seen: number }>;
}

function leavesOf(body: ObservedBody): Generator<Leaf> | null {
  const bytes = body.bytes.subarray(0, WALK_BYTES_MAX);
  if (/[/+]json/i.test(body.contentType)) return walkJson(bytes);
  if (/x-www-form-urlencoded/i.test(body.contentType)) return walkForm(bytes);
  return null;
}

/** The value behind a finding; decoded from what its document wrote. */
export function findingValue(bytes: Uint8Array, finding: Finding): string {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
    'utf8',
    finding.start,
    finding.end,
  );
  try {
    if (finding.encoding === 'json-string' && raw.includes('\\')) return String(JSON.parse(`"${raw}"`));
    if (finding.encoding === 'form') return decodeURIComponent(raw.replace(/\+/g, ' '));
  } catch {
    // A finding at the edge of an escape: its raw form still is the same for the same value.
  }
  return raw;
}

/**
 * Turns passing bodies into a few compact lines: which fields there are, what was found in them, and keyed
 * fingerprints of strong identifiers. Keeps names, counts and hashes; never a value. Memory is bounded: what comes
 * beyond the bounds is counted in `dropped`.
 */
export class BodyObserver {
  readonly #groups = new Map<string, Group>();
  #key: { readonly id: string; readonly key: Buffer } | null = null;
  dropped = 0;

  /** The key of fingerprints from now on; null: no fingerprints. */
  setKey(key: { readonly id: string; readonly key: Buffer } | null): void {
    this.#key = key;
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  observe(body: ObservedBody): void {
    if (body.bytes.length === 0) return;
    const group = this.#groupFor(body);
    if (!group) {
      this.dropped += 1;
      return;
    }
    group.calls += 1;
    group.bytes += body.bytes.length;
    group.lastAt = Math.max(group.lastAt, body.at);
    if (body.findings.length === 0 && group.calls > SHAPES_MAX) return;
    this.#note(group, body);
  }

  #groupFor({ app, integration, operation, direction, at }: ObservedBody): Group | null {
    const keyId = this.#key?.id ?? null;
    const id = [app.id, operation.id, direction, integration.id, keyId].join('\0');
    const known = this.#groups.get(id);
    if (known) return known;
    if (this.#groups.size >= GROUPS_MAX) return null;
    const head = { app, integration, operation, direction, firstAt: at };
    const group = { head, keyId, calls: 0, bytes: 0, records: 0, lastAt: at, fields: new Map(), prints: new Map() };
    this.#groups.set(id, group);
    return group;
  }

  #note(group: Group, body: ObservedBody): void {
    const found = body.findings.toSorted((a, b) => a.start - b.start);
    let next = 0;
    const perPath = new Map<string, number>();
    for (const leaf of leavesOf(body) ?? []) {
      const field = this.#field(group, leaf.path, leaf.type);
      perPath.set(leaf.path, (perPath.get(leaf.path) ?? 0) + 1);
      while ((found[next]?.start ?? Infinity) < leaf.start) this.#take(group, body, found[next++], '', undefined);
      while ((found[next]?.start ?? Infinity) < leaf.end) this.#take(group, body, found[next++], leaf.path, field);
    }
    for (; next < found.length; next++) this.#take(group, body, found[next], '', undefined);
    group.records += Math.max(1, ...perPath.values());
  }

  #field(group: Group, path: string, type: string) {
    const known = group.fields.get(path);
    if (known) {
      known.samples += 1;
      // A field that is null now and then has the type of its values.
      if (known.type === 'null') known.type = type;
      return known;
    }
    if (group.fields.size >= FIELDS_PER_LINE_MAX) {
      this.dropped += 1;
      return undefined;
    }
    const field = { type, samples: 1, detections: {} };
    group.fields.set(path, field);
    return field;
  }

  #take(
    group: Group,
    body: ObservedBody,
    finding: Finding | undefined,
    path: string,
    field: { detections: Record<string, number> } | undefined,
  ): void {
    if (!finding) return;
    if (field) field.detections[finding.type] = (field.detections[finding.type] ?? 0) + 1;
    const kind = printKind(finding);
    if (!this.#key || kind === null) return;
    const hash = fingerprint(this.#key.key, kind, findingValue(body.bytes, finding))?.toString('base64url');
    if (hash === undefined) return;
    const known = group.prints.get(hash);
    if (known) known.seen += 1;
    else if (group.prints.size < PRINTS_PER_LINE_MAX) group.prints.set(hash, { kind, path, seen: 1 });
    else this.dropped += 1;
  }

  /** What was seen since the last time, one line for each operation, direction and integration. */
  drain(): ObservationLine[] {
    const lines = [...this.#groups.values()].map((group) => ({
      ...group.head,
      keyId: group.keyId,
      lastAt: group.lastAt,
      calls: group.calls,
      bytes: group.bytes,
      records: group.records,
      fields: [...group.fields].map(([path, field]) => ({ path, ...field })),
      prints: [...group.prints].map(([print, { kind, path, seen }]) => ({ print, kind, path, seen })),
    }));
    this.#groups.clear();
    return lines;
  }
}
