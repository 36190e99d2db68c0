import { type Entries, listEntries } from './entry.ts';
import type { Direction, InspectionAction, InspectionEntry } from './rule-entry.ts';

/** From weakest to strictest; a tie goes to the stricter. */
const strictness: Record<InspectionAction, number> = { allow: 0, log: 1, redact: 2, block: 3 };

/** Entry ids can't hold a colon, so no customer's rule passes for a default. */
const DEFAULT_PREFIX = 'default:';

type Rule = Pick<InspectionEntry, 'id' | 'name' | 'class' | 'direction' | 'appId' | 'integrationId' | 'action'>;

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
}

export interface InspectionVerdict {
  readonly action: InspectionAction;
  /** The rule that decided, for the event and the caller. */
  readonly rule: { readonly id: string; readonly name: string };
}

/** What to do with a class of data on one call; remembers its answers, so keep it for (app, integration, direction). */
export type InspectionResolver = (dataClass: string) => InspectionVerdict;

/**
 * The rules for one (app, integration, direction), as a function of the class. The most specific rule wins: first by
 * class (exact, longer prefix, shorter prefix, `*`), so that a rule for everything never loosens one that names the
 * data; then by place (integration and app, integration, app, neither); then by naming a direction; then a customer's
 * rule before a default; what still ties goes to the strictest.
 */
export function resolveInspection(rules: readonly Rule[], call: InspectionCall): InspectionResolver {
  const ranked = [...rules, ...defaultInspectionRules]
    .filter((rule) => fits(rule, call))
    .map((rule) => ({ rule, rank: rank(rule) }))
    .sort((a, b) => compareRank(b.rank, a.rank));
  const remembered = new Map<string, InspectionVerdict>();
  return (dataClass) => {
    const known = remembered.get(dataClass);
    if (known) return known;
    const rule = ranked.find((candidate) => classFits(candidate.rule.class, dataClass))?.rule;
    // The defaults end with `*`, so there is always a rule.
    if (!rule) throw new Error(`no inspection rule for ${dataClass}`);
    const verdict = { action: rule.action, rule: { id: rule.id, name: rule.name } };
    remembered.set(dataClass, verdict);
    return verdict;
  };
}

/** Resolvers for all calls under one snapshot, each built on first use. */
export function compileInspection(entries: Entries): (call: InspectionCall) => InspectionResolver {
  const rules = listEntries(entries, 'inspection');
  const resolvers = new Map<string, InspectionResolver>();
  return (call) => {
    const key = `${call.direction} ${call.appId} ${call.integrationId}`;
    const resolver = resolvers.get(key) ?? resolveInspection(rules, call);
    resolvers.set(key, resolver);
    return resolver;
  };
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
  return [exact, length, place, rule.direction === null ? 0 : 1, customers, strictness[rule.action]];
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
