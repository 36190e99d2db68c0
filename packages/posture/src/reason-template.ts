import type { CompiledExpression, ExpressionCompiler, Variables } from './expression.ts';
import { jsonText } from './functions/collections.ts';
import type { FunctionContext } from './named-function.ts';

/** Items of a list named in a reason; the rest are counted. */
const ITEMS_MAX = 10;
const REASON_CHARS_MAX = 600;

/** A reason with CEL in `{{ }}`, evaluated with the variables the check defined. */
export interface ReasonTemplate {
  render(variables: Variables, context: FunctionContext): string;
}

/** @throws ExpressionInvalid for CEL that does not parse */
export function compileReason(compiler: ExpressionCompiler, text: string): ReasonTemplate {
  const parts: (string | CompiledExpression)[] = [];
  let from = 0;
  for (const match of text.matchAll(/\{\{(.+?)\}\}/gsu)) {
    parts.push(text.slice(from, match.index), compiler.compile((match[1] ?? '').trim()));
    from = match.index + match[0].length;
  }
  parts.push(text.slice(from));
  return {
    render(variables, context) {
      const rendered = parts.map((part) => (typeof part === 'string' ? part : valueOf(part, variables, context)));
      const reason = rendered.join('').replaceAll(/\s+/gu, ' ').trim();
      return reason.length > REASON_CHARS_MAX ? `${reason.slice(0, REASON_CHARS_MAX - 1)}…` : reason;
    },
  };
}

function valueOf(expression: CompiledExpression, variables: Variables, context: FunctionContext): string {
  const outcome = expression.run(variables, context);
  return outcome.ok ? textOf(outcome.value) : 'unknown';
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return 'not set';
  if (Array.isArray(value)) {
    if (value.length === 0) return 'none';
    const shown = value.slice(0, ITEMS_MAX).map(textOf).join(', ');
    return value.length > ITEMS_MAX ? `${shown} and ${value.length - ITEMS_MAX} more` : shown;
  }
  if (typeof value === 'string') return value;
  return jsonText(value);
}
