import jsonata from 'jsonata';
import { MappingFailed } from './errors.ts';

const EVALUATE_MS_MAX = 2_000;
const STACK_DEPTH_MAX = 200;
const SEQUENCE_ITEMS_MAX = 100_000;

/** Regular expressions of JavaScript take exponential time on hostile text, so mappings have none. */
function NoRegularExpressions(): never {
  throw new Error('regular expressions are not allowed in mappings');
}

export interface Expression {
  readonly text: string;
  /** Evaluates over `input`; `bindings` are found as `$name`. Throws `MappingFailed`. */
  evaluate(input: unknown, bindings?: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** JSONata throws plain objects with a message. */
function reasonOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return 'unknown failure';
  const token = 'token' in error && typeof error.token === 'string' ? ` (at ${error.token})` : '';
  return `${String(error.message)}${token}`;
}

function refuseUnsafe(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  if ('type' in node) {
    if (node.type === 'regex') throw new Error('regular expressions are not allowed in mappings');
    if (node.type === 'variable' && 'value' in node && node.value === 'eval') throw new Error('$eval is not allowed');
  }
  for (const member of Object.values(node)) refuseUnsafe(member);
}

/** Compiles a mapping. It reads no clock that matters, no file and no network, and ends within its limits. */
export function compileExpression(text: string): Expression {
  const limits = {
    timeout: EVALUATE_MS_MAX,
    stack: STACK_DEPTH_MAX,
    sequence: SEQUENCE_ITEMS_MAX,
    RegexEngine: NoRegularExpressions as unknown as RegExpConstructor, // JSONata only calls `new` on it
  };
  let compiled: ReturnType<typeof jsonata>;
  try {
    compiled = jsonata(text, limits);
    refuseUnsafe(compiled.ast());
  } catch (error) {
    throw new MappingFailed(`This mapping can't be read: ${reasonOf(error)}`, { expression: text.slice(0, 200) });
  }
  return {
    text,
    async evaluate(input, bindings) {
      try {
        return plain(await compiled.evaluate(input, bindings));
      } catch (error) {
        if (error instanceof MappingFailed) throw error;
        throw new MappingFailed(`A mapping failed: ${reasonOf(error)}`, { expression: text.slice(0, 200) });
      }
    },
  };
}

/** JSONata's lists carry markers and may share parts with the input: only JSON leaves. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value) ?? 'null') as unknown);
}

/** JSONata makes one of a list of one; a list is what callers want. */
export function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
