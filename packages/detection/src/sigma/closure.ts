import { anyAt, existsAt, textOf, type FieldPath } from '../field-path.ts';
import { type Expression, type Matcher } from './ast.ts';
import { textCompare, valueTest, type ValueTest } from './value-test.ts';

/** What a rule is run on: the vendor's event, its normalised form, and its JSON text (only made when asked for). */
export interface Subject {
  readonly raw: unknown;
  readonly ocsf: unknown;
  text(): string;
}

/** `root` is the vendor's event, or inside `|any` the element. */
export type Test = (root: unknown, subject: Subject) => boolean;

type Match = Extract<Expression, { kind: 'match' }>;

/** Compiles an expression once into nested closures; running it allocates nothing for plain fields. */
export function compileExpression(expression: Expression): Test {
  switch (expression.kind) {
    case 'constant':
      return () => expression.value;
    case 'and': {
      const tests = expression.of.map(compileExpression);
      return (root, subject) => tests.every((test) => test(root, subject));
    }
    case 'or':
      return compileOr(expression.of);
    case 'not': {
      const test = compileExpression(expression.of);
      return (root, subject) => !test(root, subject);
    }
    case 'match':
      return compileMatch(expression.field, expression.matcher);
    case 'exists': {
      const { keys, source } = expression.field;
      return (root, subject) => existsAt(source === 'ocsf' ? subject.ocsf : root, keys);
    }
    case 'absent':
      return compileField(expression.field, () => true, true);
    case 'keyword': {
      const test = compileKeyword(expression.matcher);
      return (_root, subject) => test(subject.text());
    }
    default: {
      const { keys, source } = expression.field;
      const test = compileExpression(expression.of);
      return (root, subject) =>
        anyAt(
          source === 'ocsf' ? subject.ocsf : root,
          keys,
          (element) => !Array.isArray(element) && test(element, subject),
        );
    }
  }
}

function compileKeyword(matcher: Matcher): ValueTest {
  return matcher.kind === 'field' ? () => false : valueTest(matcher);
}

function compileField(field: FieldPath, test: ValueTest, negate = false): Test {
  const { keys } = field;
  return field.source === 'ocsf'
    ? (_root, subject) => anyAt(subject.ocsf, keys, test) !== negate
    : (root) => anyAt(root, keys, test) !== negate;
}

function compileMatch(field: FieldPath, matcher: Matcher): Test {
  if (matcher.kind !== 'field') return compileField(field, valueTest(matcher));
  const { other, cased } = matcher;
  const compare = textCompare(matcher.op);
  const read = (value: unknown): string => (cased ? textOf(value) : textOf(value).toLowerCase());
  const rootOf = (path: FieldPath, root: unknown, subject: Subject): unknown =>
    path.source === 'ocsf' ? subject.ocsf : root;
  return (root, subject) =>
    anyAt(rootOf(field, root, subject), field.keys, (value) =>
      anyAt(rootOf(other, root, subject), other.keys, (against) => compare(read(value), read(against))),
    );
}

/** Many `field = text` of one field become one look-up in a set. */
function compileOr(of: readonly Expression[]): Test {
  const sets = new Map<string, { readonly field: FieldPath; readonly texts: Set<string> }>();
  const rest: Expression[] = [];
  for (const expression of of) {
    if (!isPlainEquals(expression)) {
      rest.push(expression);
      continue;
    }
    const { field, matcher } = expression;
    const key = `${field.source}:${field.keys.join('\0')}`;
    const set = sets.get(key) ?? { field, texts: new Set<string>() };
    set.texts.add(matcher.text);
    sets.set(key, set);
  }
  const tests = rest.map(compileExpression);
  for (const { field, texts } of sets.values()) {
    tests.unshift(compileField(field, (value) => texts.has(textOf(value).toLowerCase())));
  }
  const only = tests[0];
  if (tests.length === 1 && only) return only;
  return (root, subject) => tests.some((test) => test(root, subject));
}

function isPlainEquals(
  expression: Expression,
): expression is Match & { readonly matcher: Extract<Matcher, { kind: 'text' }> } {
  return (
    expression.kind === 'match' &&
    expression.matcher.kind === 'text' &&
    expression.matcher.op === 'equals' &&
    !expression.matcher.cased
  );
}
