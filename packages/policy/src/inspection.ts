import type { DataLabel } from './data-entry.ts';
import { type Entries, getEntry, listEntries } from './entry.ts';
import type { Direction, InspectionAction, InspectionEntry } from './rule-entry.ts';

/** From weakest to strictest; a tie goes to the stricter. */
const strictness: Record<InspectionAction, number> = { allow: 0, log: 1, redact: 2, block: 3 };

/** Entry ids can't hold a colon, so no customer's rule passes for a default. */
const DEFAULT_PREFIX = 'default:';

type Rule = Pick<InspectionEntry, 'id' | 'name' | 'class' | 'direction' | 'appId' | 'integrationId' | 'action'> & {
  readonly label?: DataLabel | null;
};

const LABELS: readonly DataLabel[] = ['public', 'internal', 'confidential', 'restricted'];

/**
 * What holds where no rule says otherwise. Secrets and cards are cut out of what passes rather than blocked: the call
 * still works, and nothing an attacker could use or a card scheme forbids to store goes through. Personal data is what
 * most integrations are for, so it is seen, not touched.
 */
export const defaultInspectionRules: readonly Rule[] = [
  builtIn('credential.*', 'redact'),
  builtIn('payment.card', 'redact'),
  builtIn('payment.*', 'log'),
  builtIn('contact.*', 'log'),
  builtIn('identifier.*', 'log'),
  builtIn('*', 'log'),
];

export interface InspectionCall {
  readonly appId: string;
  readonly integrationId: string;
  readonly direction: Direction;
  /** Label of the data that the operation moves, where governance knows it. */
  readonly dataLabel?: DataLabel | undefined;
}

export interface InspectionVerdict {
  readonly action: InspectionAction;
  /** The rule that decided, for the event and the caller. */
  readonly rule: { readonly id: string; readonly name: string };
}

/**
 * What to do with a class of data on one call; `label` is the label that the class has by itself. Remembers its answers,
 * so keep it for (app, integration, direction, label).
 */
export type InspectionResolver = (dataClass: string, label?: DataLabel) => InspectionVerdict;

/**
 * The rules for one (app, integration, direction), as a function of the class. The most specific rule wins: first by
 * class (exact, longer prefix, shorter prefix, `*`), so that a rule for everything never loosens one that names the
 * data; then by the higher label that it asks for; then by place (integration and app, integration, app, neither); then by
 * naming a direction; then a customer's rule before a default; what still ties goes to the strictest.
 */
export function resolveInspection(rules: readonly Rule[], call: InspectionCall): InspectionResolver {
  const ranked = [...rules, ...defaultInspectionRules]
    .filter((rule) => fits(rule, call))
    .map((rule) => ({ rule, rank: rank(rule) }))
    .sort((a, b) => compareRank(b.rank, a.rank));
  const remembered = new Map<string, InspectionVerdict>();
  return (dataClass, classLabel) => {
    const key = `${dataClass} ${classLabel}`;
    const known = remembered.get(key);
    if (known) return known;
    const label = Math.max(labelRank(classLabel), labelRank(call.dataLabel));
    const fitting = ranked.filter(
      (candidate) => classFits(candidate.rule.class, dataClass) && labelRank(candidate.rule.label) <= label,
    );
    const rule = stricterByLabel(fitting.map((candidate) => candidate.rule)) ?? fitting[0]?.rule;
    // The defaults end with `*`, so there is always a rule.
    if (!rule) throw new Error(`no inspection rule for ${dataClass}`);
    const verdict = { action: rule.action, rule: { id: rule.id, name: rule.name } };
    remembered.set(key, verdict);
    return verdict;
  };
}

/** Resolvers for all calls under one snapshot, each built on first use. */
export function compileInspection(entries: Entries): (call: InspectionCall) => InspectionResolver {
  const rules = listEntries(entries, 'inspection');
  const resolvers = new Map<string, InspectionResolver>();
  return (call) => {
    const label = call.dataLabel;
    const key = `${call.direction} ${call.appId} ${call.integrationId} ${label}`;
    const resolver = resolvers.get(key) ?? resolveInspection(rules, call);
    resolvers.set(key, resolver);
    return resolver;
  };
}

/** The label of the data that an operation moves, where governance knows it. */
export function labelOfOperation(entries: Entries, appId: string, operationId: string): DataLabel | undefined {
  const entry = getEntry(entries, 'data-label', appId);
  return entry && Object.hasOwn(entry.operations, operationId) ? entry.operations[operationId] : undefined;
}

/** A customer's rule for a label is about any class: it tightens a default that names the class, and loosens none. */
function stricterByLabel(rules: readonly Rule[]): Rule | undefined {
  const [first] = rules;
  if (!first?.id.startsWith(DEFAULT_PREFIX)) return undefined;
  return rules.find((rule) => labelRank(rule.label) >= 0 && strictness[rule.action] > strictness[first.action]);
}

/** Without a label: below every rule that asks for one. */
function labelRank(label: DataLabel | null | undefined): number {
  return label ? LABELS.indexOf(label) : -1;
}

function fits(rule: Rule, call: InspectionCall): boolean {
  return (
    (rule.appId === null || rule.appId === call.appId) &&
    (rule.integrationId === null || rule.integrationId === call.integrationId) &&
    (rule.direction === null || rule.direction === call.direction)
  );
}

function classFits(pattern: string, dataClass: string): boolean {
  if (pattern === '*' || pattern === dataClass) return true;
  if (!pattern.endsWith('.*')) return false;
  const prefix = pattern.slice(0, -2);
  return dataClass === prefix || dataClass.startsWith(`${prefix}.`);
}

function rank(rule: Rule): number[] {
  const exact = rule.class.endsWith('*') ? 0 : 1;
  const length = rule.class === '*' ? 0 : rule.class.length;
  const place = (rule.integrationId === null ? 0 : 2) + (rule.appId === null ? 0 : 1);
  const customers = rule.id.startsWith(DEFAULT_PREFIX) ? 0 : 1;
  return [
    exact,
    length,
    labelRank(rule.label),
    place,
    rule.direction === null ? 0 : 1,
    customers,
    strictness[rule.action],
  ];
}

function compareRank(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

function builtIn(dataClass: string, action: InspectionAction): Rule {
  const name = `default for ${dataClass}`;
  return {
    id: `default:${dataClass}`,
    name,
    class: dataClass,
    direction: null,
    appId: null,
    integrationId: null,
    action,
  };
}
