import type { GrantEntry } from './access-entry.ts';
import { cedarContext, entitiesFor, factValue, operationUid, uid } from './authorization-request.ts';
import type { BuiltIn } from './built-in.ts';
import { type CallContext, type CallRequest, type Decision, DEFAULT_DENY, type Named } from './decision.ts';
import { type Entries, getEntry, listEntries, parseEntryKey } from './entry.ts';
import { type ExplainedCall, explainAllow, explainError, explainForbid, explainNoMatch } from './explanation.ts';
import { covers, type OperationFacts, parseUnknownOperation } from './grant-selector.ts';
import { ANY_FACT } from './policy-facts.ts';
import { loadPolicies, type Policies } from './loaded-policies.ts';
import type { Evaluation, PolicySet } from './policy-set.ts';

/** Remembered decisions in all; past it all are forgotten, which costs one Cedar call each. */
const DECISIONS_MAX = 200_000;

/** Where operations come from: the operation table of each app. Undefined for an id the table doesn't have. */
export type OperationSource = (appId: string, operationId: string) => OperationFacts | undefined;

export interface Authorizer {
  /** Never throws for a call that policies can't decide: that is a deny. */
  decide(request: CallRequest): Decision;
  /**
   * Takes over the entries of a newer snapshot. With the keys that changed, what can't have changed stays remembered;
   * without, everything is forgotten.
   *
   * @throws {PolicyTextInvalid} when a policy is bad; the authorizer keeps deciding from what it had.
   */
  update(entries: Entries, changedKeys?: Iterable<string>): void;
  /** An app's operation table was replaced. */
  forgetApp(appId: string): void;
  /** Gives the parsed policies back. */
  close(): void;
}

/** What is known about one (integration, app, operation) until something changes or expires. */
interface Plan {
  /** From the last to the next moment at which a grant or the integration expires. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** Grants that hold for some calls only; decisions are remembered by which of them do. */
  readonly scoped: readonly GrantEntry[];
  /** What else decisions are remembered by; null: not at all. */
  readonly facts: readonly string[] | null;
  readonly decisions: Map<string, Decision>;
}

/**
 * Authorization with Cedar, default deny. A Cedar call costs some 0.2 ms, so decisions are remembered for each
 * (integration, app, operation) and, where a policy or a grant's scope looks at the call, for each value it looked at.
 *
 * @throws {PolicyTextInvalid} when a built-in or customer's policy doesn't parse or fit the schema.
 */
export function createAuthorizer(options: {
  entries: Entries;
  operations: OperationSource;
  builtIn: BuiltIn;
}): Authorizer {
  return new CedarAuthorizer(options.entries, options.operations, options.builtIn);
}

class CedarAuthorizer implements Authorizer {
  readonly #operations: OperationSource;
  readonly #builtIn: BuiltIn;
  #entries: Entries;
  #policies: Policies;
  #grants: ReadonlyMap<string, GrantEntry[]>;
  /** integration id → app id → operation id → plan. Nested, because building a joined key costs more than a look-up. */
  #plans = new Map<string, Map<string, Map<string, Plan>>>();
  #remembered = 0;

  constructor(entries: Entries, operations: OperationSource, builtIn: BuiltIn) {
    this.#entries = entries;
    this.#operations = operations;
    this.#builtIn = builtIn;
    this.#policies = loadPolicies(builtIn, listEntries(entries, 'policy'));
    this.#grants = groupGrants(entries);
  }

  decide(request: CallRequest): Decision {
    const { integrationId, appId, operationId, context } = request;
    const plan = this.#plans.get(integrationId)?.get(appId)?.get(operationId);
    const valid = plan !== undefined && context.time >= plan.validFrom && context.time < plan.validUntil;
    const key = valid ? planKey(plan, context) : null;
    const remembered = key === null ? undefined : plan?.decisions.get(key);
    return remembered ?? this.#decideAnew(request, valid ? plan : null);
  }

  update(entries: Entries, changedKeys?: Iterable<string>): void {
    const kinds = new Set<string>();
    const integrations = new Set<string>();
    for (const key of changedKeys ?? []) {
      const parsed = parseEntryKey(key);
      if (!parsed) continue;
      kinds.add(parsed.kind);
      if (parsed.kind === 'integration') integrations.add(parsed.name);
      if (parsed.kind !== 'grant') continue;
      for (const grants of [this.#entries, entries]) {
        const grant = getEntry(grants, 'grant', parsed.name);
        if (grant) integrations.add(grant.integrationId);
      }
    }
    const all = changedKeys === undefined;
    if (all || kinds.has('policy')) {
      const policies = loadPolicies(this.#builtIn, listEntries(entries, 'policy'));
      this.#closePolicies();
      this.#policies = policies;
    }
    this.#entries = entries;
    if (all || kinds.has('grant')) this.#grants = groupGrants(entries);
    if (all || kinds.has('policy') || kinds.has('app')) this.#forgetAll();
    else for (const id of integrations) this.#plans.delete(id);
  }

  forgetApp(appId: string): void {
    for (const apps of this.#plans.values()) apps.delete(appId);
  }

  close(): void {
    this.#forgetAll();
    this.#closePolicies();
  }

  #closePolicies(): void {
    this.#policies.set.close();
    this.#policies.relevance?.close();
  }

  #forgetAll(): void {
    this.#plans = new Map();
    this.#remembered = 0;
  }

  #decideAnew(request: CallRequest, known: Plan | null): Decision {
    const { integrationId, appId, operationId, context } = request;
    const integration = getEntry(this.#entries, 'integration', integrationId);
    const app = getEntry(this.#entries, 'app', appId);
    const operation = app && (parseUnknownOperation(operationId) ?? this.#operations(appId, operationId));
    // Not remembered: these ids may come from outside and are endless.
    if (!integration) return refused(operationId, `denied: integration ${integrationId} is not known here`);
    if (!app) return refused(operationId, `denied: app ${appId} is not known here`);
    if (!operation)
      return refused(operationId, `denied: operation ${operationId} is not described for app "${app.name}"`);

    const covering = this.#coveringGrants(integrationId, appId, operation, context);
    const call = { integration, app, operation, time: context.time };
    const evaluated = {
      principal: uid('Integration', integrationId),
      action: uid('Action', operation.access),
      resource: operationUid(app, operation),
      context: cedarContext(context),
      entities: entitiesFor({ ...call, grants: covering.here, context }),
    };
    const evaluation = this.#policies.set.evaluate(evaluated);
    if (evaluation === null) return refused(operationId, 'denied: what is known of the call can not be evaluated');
    const decision = this.#conclude(call, covering, evaluation);
    const plan = known ?? this.#plan(request, this.#planFor(integration.expiresAt, covering, context, evaluated));
    this.#remember(plan, context, decision);
    return decision;
  }

  #coveringGrants(
    integrationId: string,
    appId: string,
    operation: OperationFacts,
    context: CallContext,
  ): CoveringGrants {
    const grants = this.#grants.get(`${integrationId} ${appId}`) ?? [];
    const covering = grants.filter((grant) => grant.select.some((selector) => covers(selector, operation)));
    const [expired, live] = partition(covering, (grant) => grant.expiresAt !== null && grant.expiresAt <= context.time);
    const [here, elsewhere] = partition(live, (grant) => scopeHolds(grant, context));
    return { here, elsewhere, expired, live };
  }

  #conclude(call: ExplainedCall, covering: CoveringGrants, evaluation: Evaluation): Decision {
    const { statements } = this.#policies;
    const named = (ids: readonly string[]): Named[] => ids.map((id) => ({ id, name: statements.get(id)?.name ?? id }));
    const grants = covering.here.map(({ id, name }) => ({ id, name }));
    const operationId = call.operation.id;
    const reasons = named(evaluation.reasons);
    // Cedar skips a statement that fails. A skipped forbid would open what its author meant to close.
    const failed = named(evaluation.failed.filter((id) => statements.get(id)?.effect !== 'permit'));
    if (!evaluation.allowed && reasons.length > 0) {
      return { decision: 'deny', policies: reasons, grants, operationId, explanation: explainForbid(call, reasons) };
    }
    if (failed.length > 0) {
      return { decision: 'deny', policies: failed, grants, operationId, explanation: explainError(call, failed) };
    }
    if (!evaluation.allowed) {
      const explanation = explainNoMatch(call, covering.expired, covering.elsewhere);
      return { decision: 'no-match', policies: [DEFAULT_DENY], grants, operationId, explanation };
    }
    return {
      decision: 'allow',
      policies: reasons,
      grants,
      operationId,
      explanation: explainAllow(call, grants, reasons),
    };
  }

  #planFor(
    expiresAt: number | null,
    covering: CoveringGrants,
    context: CallContext,
    request: Parameters<PolicySet['evaluate']>[0],
  ): Plan {
    const scoped = covering.live.filter((grant) => grant.resourceScope.length > 0);
    const facts = new Set(this.#relevantFacts(scoped.length > 0, request));
    const memorable = [...facts].every((fact) => factValue(fact, context) !== null);
    const grants = [...covering.live, ...covering.expired];
    const ends = [expiresAt, ...grants.map((grant) => grant.expiresAt)].filter((end) => end !== null);
    return {
      validFrom: Math.max(-Infinity, ...ends.filter((end) => end <= context.time)),
      validUntil: Math.min(Infinity, ...ends.filter((end) => end > context.time)),
      scoped,
      facts: memorable ? [...facts].sort() : null,
      decisions: new Map(),
    };
  }

  #relevantFacts(scoped: boolean, request: Parameters<PolicySet['evaluate']>[0]): string[] {
    const { relevance, statements } = this.#policies;
    if (!relevance) return [];
    // A scoped grant comes and goes with the parameters, and conditions may look at grants: what is relevant for one
    // call then needn't be for the next.
    if (scoped) return [...statements.values()].flatMap(({ facts }) => facts);
    const evaluation = relevance.evaluate(request);
    if (evaluation === null) return [ANY_FACT];
    return [...evaluation.reasons, ...evaluation.failed].flatMap((id) => statements.get(id)?.facts ?? []);
  }

  #plan(request: CallRequest, plan: Plan): Plan {
    if (this.#remembered >= DECISIONS_MAX) this.#forgetAll();
    const apps = entryOf(this.#plans, request.integrationId, () => new Map<string, Map<string, Plan>>());
    entryOf(apps, request.appId, () => new Map<string, Plan>()).set(request.operationId, plan);
    this.#remembered += 1;
    return plan;
  }

  #remember(plan: Plan, context: CallContext, decision: Decision): void {
    const key = planKey(plan, context);
    if (key === null) return;
    if (this.#remembered >= DECISIONS_MAX) this.#forgetAll();
    plan.decisions.set(key, decision);
    this.#remembered += 1;
  }
}

interface CoveringGrants {
  /** Live grants whose scope holds for this call. */
  readonly here: readonly GrantEntry[];
  /** Live grants for other resources. */
  readonly elsewhere: readonly GrantEntry[];
  readonly expired: readonly GrantEntry[];
  readonly live: readonly GrantEntry[];
}

function groupGrants(entries: Entries): ReadonlyMap<string, GrantEntry[]> {
  return Map.groupBy(listEntries(entries, 'grant'), ({ integrationId, appId }) => `${integrationId} ${appId}`);
}

function scopeHolds(grant: GrantEntry, { parameters }: CallContext): boolean {
  return grant.resourceScope.every(({ parameter, values }) => {
    const value = Object.hasOwn(parameters, parameter) ? parameters[parameter] : undefined;
    return value !== undefined && values.includes(value);
  });
}

function refused(operationId: string, explanation: string): Decision {
  return {
    decision: 'no-match',
    policies: [DEFAULT_DENY],
    grants: [],
    operationId,
    explanation: `${explanation} (policy default-deny)`,
  };
}

/**
 * One string for all that a plan's decisions depend on, or null when that can't be remembered. Scoped grants count by
 * whether they hold, not by the parameter's value: an integration that walks through 10,000 repositories of its own
 * costs one evaluation. Lengths keep ("a", "bc") from meeting ("ab", "c").
 */
function planKey(plan: Plan, context: CallContext): string | null {
  if (plan.facts === null) return null;
  let key = '';
  for (const grant of plan.scoped) key += scopeHolds(grant, context) ? '+' : '-';
  for (const fact of plan.facts) {
    const value = factValue(fact, context);
    if (value === null) return null;
    key += `${value.length}:${value}`;
  }
  return key;
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}

function entryOf<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const existing = map.get(key);
  if (existing !== undefined) return existing;
  const created = create();
  map.set(key, created);
  return created;
}
