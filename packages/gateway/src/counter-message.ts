import type { Socket } from 'node:net';
import type { Admission, KeyState, LimitCheck, LimitKind } from './limit-counters.ts';
import type { ProofUse } from './proof-memory.ts';
import type { RateVerdict } from './rate-limiter.ts';
import { type BudgetNote, encodeNote, parseNote } from './sharing/budget-note.ts';

/**
 * What gateway processes of one machine say to each other about limits: one JSON array a line, over a socket in their
 * data directory that only their user can reach. A line that isn't one of these ends the connection.
 *
 * From a process to the hub: `a` admit, `l` leave, `h` hold (a call that the hub did not let in), `b` bytes.
 * From the hub: `v` verdict, `p` how many processes ask it. Both ways: `s` states of keys, with the UTC day that their quotas count;
 * `n` what was learned of a vendor's limit. `d` and its answer `f`: what the use of a DPoP proof is.
 */
export type CounterMessage =
  | { readonly what: 'admit'; readonly id: number; readonly checks: readonly LimitCheck[] }
  | { readonly what: 'hold'; readonly id: number; readonly checks: readonly LimitCheck[] }
  | { readonly what: 'peers'; readonly count: number }
  | { readonly what: 'leave'; readonly id: number }
  | { readonly what: 'bytes'; readonly key: string; readonly bytes: number }
  | {
      readonly what: 'verdict';
      readonly id: number;
      readonly admission: Admission;
      readonly states: readonly Progress[];
    }
  | { readonly what: 'states'; readonly day: number; readonly states: readonly KeyState[] }
  | { readonly what: 'note'; readonly note: BudgetNote }
  /** A DPoP proof that was used. `id` 0: it is only told of. */
  | { readonly what: 'proof'; readonly id: number; readonly name: string; readonly source: string }
  | { readonly what: 'use'; readonly id: number; readonly use: ProofUse };

/** The state of a key that both sides know by its place among the checks. */
export type Progress = Omit<KeyState, 'key'>;

const LINE_CHARS_MAX = 4 * 1024 * 1024;
const USES: readonly ProofUse[] = ['first', 'used', 'full', 'alone'];
const KINDS: readonly LimitKind[] = ['rate', 'concurrency', 'quota'];

class NotAMessage extends Error {}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new NotAMessage('a list is missing');
  return value;
}

function number(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw new NotAMessage('a number is missing');
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new NotAMessage('a text is missing');
  return value;
}

function parseUse(value: unknown): ProofUse {
  const use = USES[number(value)];
  if (!use) throw new NotAMessage('an unknown use of a proof');
  return use;
}

const orNull = (value: unknown): number | null => (value === null ? null : number(value));

function encodeCheck({ key, rate, concurrency, callsPerDay, bytesPerDay }: LimitCheck): unknown[] {
  const { count, periodMs, burst } = rate ?? { count: 0, periodMs: 0, burst: 0 };
  return [key, count, periodMs, burst, concurrency, callsPerDay, bytesPerDay];
}

function parseCheck(value: unknown): LimitCheck {
  const [key, count, periodMs, burst, concurrency, callsPerDay, bytesPerDay] = list(value);
  return {
    key: text(key),
    rate: count === 0 ? null : { count: number(count), periodMs: number(periodMs), burst: number(burst) },
    concurrency: orNull(concurrency),
    callsPerDay: orNull(callsPerDay),
    bytesPerDay: orNull(bytesPerDay),
  };
}

function parseVerdict(value: unknown): RateVerdict | undefined {
  if (value === 0) return undefined;
  const [allowed, remaining, retryAfterMs, resetMs] = list(value).map(number);
  return {
    allowed: allowed === 1,
    remaining: number(remaining),
    retryAfterMs: number(retryAfterMs),
    resetMs: number(resetMs),
  };
}

function encodeVerdict(verdict: RateVerdict | undefined): unknown {
  if (!verdict) return 0;
  return [verdict.allowed ? 1 : 0, verdict.remaining, verdict.retryAfterMs, verdict.resetMs];
}

function parseProgress(value: unknown): Progress {
  const [resetMs, calls, bytes] = list(value).map(number);
  return { resetMs: number(resetMs), calls: number(calls), bytes: number(bytes) };
}

function parseState(value: unknown): KeyState {
  const [key, ...progress] = list(value);
  return { key: text(key), ...parseProgress(progress) };
}

function toList(message: CounterMessage): unknown[] {
  if (message.what === 'admit') return ['a', message.id, message.checks.map(encodeCheck)];
  if (message.what === 'hold') return ['h', message.id, message.checks.map(encodeCheck)];
  if (message.what === 'leave') return ['l', message.id];
  if (message.what === 'bytes') return ['b', message.key, message.bytes];
  if (message.what === 'states') {
    return ['s', message.day, message.states.map(({ key, resetMs, calls, bytes }) => [key, resetMs, calls, bytes])];
  }
  if (message.what === 'peers') return ['p', message.count];
  if (message.what === 'note') return ['n', encodeNote(message.note)];
  if (message.what === 'proof') return ['d', message.id, message.name, message.source];
  if (message.what === 'use') return ['f', message.id, USES.indexOf(message.use)];
  const { refused, verdicts } = message.admission;
  const why = refused ? [refused.index, KINDS.indexOf(refused.kind)] : 0;
  const states = message.states.map(({ resetMs, calls, bytes }) => [resetMs, calls, bytes]);
  return ['v', message.id, why, verdicts.map(encodeVerdict), states];
}

export function encodeMessage(message: CounterMessage): string {
  return `${JSON.stringify(toList(message))}\n`;
}

function parseRefused(value: unknown): Admission['refused'] {
  if (value === 0) return undefined;
  const [index, kind] = list(value).map(number);
  const known = KINDS[number(kind)];
  if (!known) throw new NotAMessage('an unknown kind of limit');
  return { index: number(index), kind: known };
}

/** @throws when the line isn't a message. */
export function parseMessage(line: string): CounterMessage {
  const [what, first, second, third, fourth] = list(JSON.parse(line));
  switch (what) {
    case 'a':
    case 'h':
      return { what: what === 'a' ? 'admit' : 'hold', id: number(first), checks: list(second).map(parseCheck) };
    case 'l':
      return { what: 'leave', id: number(first) };
    case 'b':
      return { what: 'bytes', key: text(first), bytes: number(second) };
    case 'v': {
      const admission = { refused: parseRefused(second), verdicts: list(third).map(parseVerdict) };
      return { what: 'verdict', id: number(first), admission, states: list(fourth).map(parseProgress) };
    }
    case 'd':
      return { what: 'proof', id: number(first), name: text(second), source: text(third) };
    case 'f':
      return { what: 'use', id: number(first), use: parseUse(second) };
    case 'p':
      return { what: 'peers', count: number(first) };
    case 'n': {
      const note = parseNote(first);
      if (!note) throw new NotAMessage('a note is missing');
      return { what: 'note', note };
    }
    case 's':
      return { what: 'states', day: number(first), states: list(second).map(parseState) };
    default:
      throw new NotAMessage('an unknown message');
  }
}

/** A connection between two processes. What is said in one turn of the event loop goes out in one write. */
export class CounterWire {
  readonly #socket: Socket;
  #out = '';
  #in = '';

  constructor(socket: Socket, onMessages: (messages: readonly CounterMessage[]) => void, onClose: () => void) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', onClose);
    socket.on('data', (chunk: string) => {
      const lines = (this.#in + chunk).split('\n');
      this.#in = lines.pop() ?? '';
      try {
        if (this.#in.length > LINE_CHARS_MAX) throw new NotAMessage('a line that does not end');
        if (lines.length > 0) onMessages(lines.map(parseMessage));
      } catch {
        socket.destroy();
      }
    });
  }

  send(message: CounterMessage): void {
    if (this.#out === '') setImmediate(() => this.flush());
    this.#out += encodeMessage(message);
  }

  flush(): void {
    const out = this.#out;
    this.#out = '';
    if (out === '' || this.#socket.destroyed) return;
    this.#socket.write(out);
    // A peer that doesn't read must not make this process hold what it says to it.
    if (this.#socket.writableLength > LINE_CHARS_MAX) this.#socket.destroy();
  }

  end(): void {
    this.flush();
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
