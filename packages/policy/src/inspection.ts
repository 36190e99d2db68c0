import type { DataLabel } from './data-entry.ts';
import { type Entries, getEntry, listEntries } from './entry.ts';
import {
  type Direction,
  type InspectionAction,
  type InspectionEntry,
  isMotionAction,
  type Sharing,
  SHARINGS,
} from './rule-entry.ts';

/** From weakest to strictest; a tie goes to the stricter. */
const STRICTEST_LAST: readonly InspectionAction[] = [
  'allow',
  'log',
  'notify',
  'label',
  'tokenise',
  'redact',
  'justify',
  'unshare',
  'quarantine',
  'block',
  'delete',
];
const strictnessOf = (action: InspectionAction): number => STRICTEST_LAST.indexOf(action);

/** The stricter of two; what is done to a record of which several rules say something. */
export const stricterAction = (a: InspectionAction, b: InspectionAction): InspectionAction =>
  strictnessOf(a) >= strictnessOf(b) ? a : b;

/** Entry ids can't hold a colon, so no customer's rule passes for a default. */
const DEFAULT_PREFIX = 'default:';

type Rule = Pick<InspectionEntry, 'id' | 'name' | 'class' | 'direction' | 'appId' | 'integrationId' | 'action'> &
  Partial<Pick<InspectionEntry, 'label' | 'category' | 'countMin' | 'connector' | 'destination' | 'personId'>>;

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

/** Of what lies in tools: what a thief could use is told, what identifies people is noted, the rest only counted. */
const defaultsAtRest: readonly Rule[] = [
  builtIn('credential.*', 'notify', 'at-rest'),
  builtIn('payment.card', 'notify', 'at-rest'),
  builtIn('payment.*', 'log', 'at-rest'),
  builtIn('identifier.*', 'log', 'at-rest'),
  builtIn('*', 'allow', 'at-rest'),
];

export interface InspectionCall {
  readonly appId: string;
  readonly integrationId: string;
  readonly direction: Direction;
  /** Label of the data that the operation moves, where governance knows it. */
  readonly dataLabel?: DataLabel | undefined;
  /** Who owns the integration. */
  readonly personId?: string | undefined;
}

/** A record that a connector read. */
export interface RestingPlace {
  readonly direction: 'at-rest';
  readonly connector: string;
  /** The app of the estate that the connector's tool is, where there is one. */
  readonly appId?: string | undefined;
  readonly dataLabel?: DataLabel | undefined;
  readonly sharing?: Sharing | undefined;
  readonly personId?: string | undefined;
}
type Place = InspectionCall | RestingPlace;

export interface InspectionVerdict {
  readonly action: InspectionAction;
  /** The rule that decided, for the event and the caller. */
  readonly rule: { readonly id: string; readonly name: string };
}

/** What else of a finding a rule may ask for. */
export interface FoundFacts {
  readonly category?: string | undefined;
  /** How many of the class the body or record holds; 1 when absent. */
  readonly count?: number | undefined;
}

/**
 * What to do with a class of data on one call; `label` is the label that the class has by itself. Remembers its answers,
 * so keep it for (app, integration, direction, label).
 */
export type InspectionResolver = (dataClass: string, label?: DataLabel, facts?: FoundFacts) => InspectionVerdict;

/**
 * The rules for one (app, integration, direction), as a function of the class. The most specific rule wins: first by
 * class (exact, longer prefix, shorter prefix, `*`), so that a rule for everything never loosens one that names the
 * data; then by the higher label that it asks for; then by place (integration and app, integration, app, neither); then by
 * naming a direction; then a customer's rule before a default; what still ties goes to the strictest.
 */
export function resolveInspection(rules: readonly Rule[], call: Place): InspectionResolver {
  const ranked = [...rules, ...(call.direction === 'at-rest' ? defaultsAtRest : defaultInspectionRules)]
    .filter((rule) => fits(rule, call))
    .map((rule) => ({ rule, rank: rank(rule) }))
    .sort((a, b) => compareRank(b.rank, a.rank));
  const remembered = new Map<string, InspectionVerdict>();
  const thresholds = [...new Set(ranked.map(({ rule }) => rule.countMin ?? 1))].filter((least) => least > 1);
  return (dataClass, classLabel, { category = '', count = 1 } = {}) => {
    // Counts between two thresholds are judged alike: remembered answers stay few.
    const tier = thresholds.filter((least) => count >= least).length;
    const key = `${dataClass} ${classLabel} ${category} ${tier}`;
    const known = remembered.get(key);
    if (known) return known;
    const label = Math.max(labelRank(classLabel), labelRank(call.dataLabel));
    const fitting = ranked.filter(
      ({ rule }) =>
        classFits(rule.class, dataClass) &&
        labelRank(rule.label) <= label &&
        categoryFits(rule.category, category) &&
        count >= (rule.countMin ?? 1),
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
    const key = `${call.direction} ${call.appId} ${call.integrationId} ${label} ${call.personId}`;
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

/** A customer's rule for a label or category is about any class: it tightens a default that names the class, and loosens none. */
function stricterByLabel(rules: readonly Rule[]): Rule | undefined {
  const [first] = rules;
  if (!first?.id.startsWith(DEFAULT_PREFIX)) return undefined;
  return rules.find(
    (rule) =>
      (labelRank(rule.label) >= 0 || rule.category != null) && strictnessOf(rule.action) > strictnessOf(first.action),
  );
}

/** Without a label: below every rule that asks for one. */
function labelRank(label: DataLabel | null | undefined): number {
  return label ? LABELS.indexOf(label) : -1;
}

function fits(rule: Rule, call: Place): boolean {
  if (rule.appId !== null && rule.appId !== call.appId) return false;
  if (rule.personId != null && rule.personId !== call.personId) return false;
  if (call.direction === 'at-rest') {
    return (
      rule.direction === 'at-rest' &&
      rule.integrationId === null &&
      (rule.connector == null || rule.connector === call.connector) &&
      (rule.destination == null || SHARINGS.indexOf(rule.destination) <= SHARINGS.indexOf(call.sharing ?? 'private'))
    );
  }
  return (
    isMotionAction(rule.action) &&
    rule.connector == null &&
    rule.destination == null &&
    (rule.integrationId === null || rule.integrationId === call.integrationId) &&
    (rule.direction === null || rule.direction === call.direction)
  );
}

function categoryFits(asked: string | null | undefined, category: string): boolean {
  return asked == null || category === asked || category.startsWith(`${asked}.`);
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
  const place =
    (rule.personId == null ? 0 : 4) +
    (rule.integrationId === null ? 0 : 2) +
    (rule.appId === null && rule.connector == null ? 0 : 1);
  const customers = rule.id.startsWith(DEFAULT_PREFIX) ? 0 : 1;
  return [
    exact,
    length,
    labelRank(rule.label),
    rule.category == null ? 0 : rule.category.length,
    place,
    SHARINGS.indexOf(rule.destination ?? 'private'),
    rule.countMin ?? 1,
    rule.direction === null ? 0 : 1,
    customers,
    strictnessOf(rule.action),
  ];
}

function compareRank(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

function builtIn(dataClass: string, action: InspectionAction, direction: 'at-rest' | null = null): Rule {
  const name = `default for ${dataClass}`;
  return {
    id: `default:${dataClass}`,
    name,
    class: dataClass,
    direction,
    appId: null,
    integrationId: null,
    action,
  };
}
