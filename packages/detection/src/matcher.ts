import { anyAt, parseFieldPath, textOf, textsAt, type FieldPath } from './field-path.ts';
import { type Correlation } from './correlation/correlation.ts';
import { ANY_CATEGORY, type Rule } from './sigma/ast.ts';
import { compileExpression, type Subject, type Test } from './sigma/closure.ts';
import { evaluatePartly, fieldKey } from './sigma/partial.ts';
import { chooseIndex } from './sigma/rule-index.ts';
import { type DetectionEvent, type Signal } from './signal.ts';

const KEY_VALUES_MAX = 20;
/** Log sources, by class, whose rules are remembered. */
const PLANS_MAX = 2_000;
/** Operations whose rules a plan remembers; a vendor has some hundreds, an attacker may send more. */
const OPERATIONS_MAX = 5_000;
const PRODUCT_NAME = fieldKey(parseFieldPath('ocsf.metadata.product.name'));

interface CompiledRule {
  readonly rule: Rule;
  readonly test: Test;
  readonly capture: readonly FieldPath[];
}

type Plan = (event: DetectionEvent, subject: Subject) => readonly CompiledRule[];

export interface Matcher {
  /** The signals of one event, in the rules' order. Never throws on an odd event. */
  match(event: DetectionEvent): Signal[];
}

/**
 * Compiles rules to closures and divides them by product, service and operation, so that an event meets only the
 * rules that could fire. `correlations` says which fields a signal must carry along.
 */
export function createMatcher(rules: readonly Rule[], correlations: readonly Correlation[] = []): Matcher {
  const compiled = rules.map((rule): CompiledRule => ({
    rule,
    test: compileExpression(rule.expression),
    capture: captured(rule, correlations),
  }));
  const plans = new Map<string, Plan>();
  const planFor = (event: DetectionEvent): Plan => {
    const category = categoryOf(event);
    const productName = productNameOf(event);
    const key = `${event.product}\0${event.service}\0${category}\0${productName ?? ''}`;
    const known = plans.get(key);
    if (known) return known;
    const applying = compiled.filter(({ rule }) => appliesTo(rule, event, category));
    const plan = makePlan(applying, productName);
    if (plans.size < PLANS_MAX) plans.set(key, plan);
    return plan;
  };
  return {
    match(event) {
      const subject = new EventSubject(event);
      const signals: Signal[] = [];
      for (const candidate of planFor(event)(event, subject)) {
        if (candidate.test(event.raw, subject)) signals.push(signal(candidate, event));
      }
      return signals;
    },
  };
}

class EventSubject implements Subject {
  readonly raw: unknown;
  readonly ocsf: unknown;
  #text: string | undefined;

  constructor(event: DetectionEvent) {
    this.raw = event.raw;
    this.ocsf = event.ocsf;
  }

  text(): string {
    this.#text ??= JSON.stringify(this.raw) ?? '';
    return this.#text;
  }
}

/** A log source that names less applies to more (specification "Log source"). */
function appliesTo(rule: Rule, event: DetectionEvent, category: string): boolean {
  const { logsource } = rule;
  return (
    (logsource.product === undefined || logsource.product === event.product) &&
    (logsource.service === undefined || logsource.service === event.service) &&
    (logsource.category === undefined || logsource.category === ANY_CATEGORY || logsource.category === category)
  );
}

function productNameOf({ ocsf }: DetectionEvent): string | undefined {
  let name: unknown;
  anyAt(ocsf, ['metadata', 'product', 'name'], (value) => {
    name = value;
    return true;
  });
  return typeof name === 'string' ? name : undefined;
}

/** The OCSF class by name, such as `authentication`: what a rule's `category` means here. */
function categoryOf(event: DetectionEvent): string {
  const { ocsf } = event;
  const name = typeof ocsf === 'object' && ocsf !== null && 'class_name' in ocsf ? ocsf.class_name : undefined;
  return typeof name === 'string' ? name.toLowerCase().replaceAll(' ', '_') : '';
}

function makePlan(rules: readonly CompiledRule[], productName: unknown): Plan {
  const constants = new Map(productName === undefined ? [] : [[PRODUCT_NAME, productName]]);
  const possible = rules.filter(({ rule }) => evaluatePartly(rule.expression, constants) !== false);
  const index = chooseIndex(possible.map(({ rule }) => rule));
  if (!index) return () => possible;
  const pick = (positions: readonly number[]): CompiledRule[] =>
    [...new Set(positions)].sort((a, b) => a - b).flatMap((position) => possible[position] ?? []);
  const always = pick(index.always);
  const remembered = new Map<unknown, readonly CompiledRule[]>();
  const { keys, source } = index.field;
  const key = fieldKey(index.field);

  /** Rules that may fire when the indexed field has this one value. */
  const rulesFor = (value: unknown): readonly CompiledRule[] => {
    const candidates = pick([...(index.byValue.get(textOf(value).toLowerCase()) ?? []), ...index.always]);
    if (typeof value === 'object') return candidates;
    const known = new Map([...constants, [key, value]]);
    const kept = candidates.filter(({ rule }) => evaluatePartly(rule.expression, known) !== false);
    if (remembered.size < OPERATIONS_MAX) remembered.set(value, kept);
    return kept;
  };

  return (event, subject) => {
    let first: unknown;
    let others: unknown[] | undefined;
    anyAt(source === 'ocsf' ? subject.ocsf : event.raw, keys, (value) => {
      if (first === undefined) first = value;
      else (others ??= []).push(value);
      return false;
    });
    if (first === undefined) return always;
    if (!others) return remembered.get(first) ?? rulesFor(first);
    const texts = [first, ...others].map((value) => textOf(value).toLowerCase());
    return pick([...texts.flatMap((value) => index.byValue.get(value) ?? []), ...index.always]);
  };
}

/** The fields that the correlations which listen to this rule need. */
function captured(rule: Rule, correlations: readonly Correlation[]): FieldPath[] {
  const names = new Set<string>();
  for (const correlation of correlations) {
    const listens = correlation.rules.some((one) => one === rule.id || one === rule.name);
    if (!listens) continue;
    for (const name of [...correlation.groupBy, ...correlation.valueFields]) {
      const alias = correlation.aliases[name];
      names.add(alias?.[rule.name ?? ''] ?? alias?.[rule.id] ?? name);
    }
  }
  return [...names].map(parseFieldPath);
}

function signal({ rule, capture }: CompiledRule, event: DetectionEvent): Signal {
  const keys: Record<string, readonly string[]> = {};
  for (const field of capture) {
    keys[field.name] = textsAt(field.source === 'ocsf' ? event.ocsf : event.raw, field.keys).slice(0, KEY_VALUES_MAX);
  }
  return {
    ruleId: rule.id,
    ruleName: rule.name,
    title: rule.title,
    level: rule.level,
    covers: rule.covers,
    eventId: event.id,
    time: event.time,
    product: event.product,
    keys,
  };
}
