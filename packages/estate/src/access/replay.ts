import {
  type BuiltIn,
  type CallContext,
  compareDecisions,
  compileInspection,
  contextFacts,
  createAuthorizer,
  type Decision,
  type Entries,
  getEntry,
  listEntries,
  stopsCall,
  type WeighedCall,
} from '@cordon/policy';
import type { OperationTable } from './used.ts';

/** What of a call the lake has to tell apart. */
export interface ReplayDetail {
  readonly hour: boolean;
  readonly moment: boolean;
  readonly address: boolean;
  readonly assurance: boolean;
  readonly listener: boolean;
  readonly path: boolean;
  readonly findings: boolean;
  readonly boundaries: readonly number[];
}

/** Recorded calls that agree in all that was told apart. */
export interface ReplayGroup {
  readonly integrationId: string;
  readonly appId: string;
  readonly operation: string;
  readonly decision: string;
  readonly reason: string;
  readonly calls: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly address: string;
  readonly assurance: string;
  readonly listener: string;
  readonly path: string;
  readonly template: string;
  readonly findings: readonly string[];
}

export interface ReplayChange {
  readonly integrationId: string;
  readonly appId: string;
  readonly operation: string;
  readonly effect: 'break' | 'open';
  readonly by: 'authorization' | 'inspection' | 'limit';
  readonly calls: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly explanation: string;
}

export interface Replay {
  /** Recorded calls that policies decided. */
  readonly calls: number;
  /** Recorded calls that were refused before policies were asked, or that can't be decided again; with the reasons. */
  readonly left: number;
  readonly leftBecause: readonly string[];
  readonly wouldBreak: number;
  readonly wouldOpen: number;
  /** Recorded calls whose outcome today's rules wouldn't repeat: rules changed since. */
  readonly changedSince: number;
  /** The largest first. */
  readonly changes: readonly ReplayChange[];
}

/** Reasons given by policies or after them. Of a call that was refused earlier, nothing was decided. */
const DECIDED =
  /^$|^gateway\.(?:not_authorized|rate_limited|concurrency_limited|quota_exceeded|body_|encoding_|request_invalid|request_blocked|injection_|approval_|nonce_|credential_|vendor_|upstream_|response_|client_gone|spool_full)/;

/** What both sets of entries can look at, so that one grouping serves both. */
export function replayDetail(before: Entries, after: Entries, builtIn: BuiltIn): ReplayDetail {
  const facts = new Set([...contextFacts(before, builtIn), ...contextFacts(after, builtIn)]);
  const any = facts.has('*');
  const ends = [before, after].flatMap((entries) => [
    ...listEntries(entries, 'grant').map(({ expiresAt }) => expiresAt),
    ...listEntries(entries, 'integration').map(({ expiresAt }) => expiresAt),
  ]);
  return {
    hour: any || facts.has('hour') || facts.has('weekday'),
    moment: any || facts.has('time'),
    address: any || facts.has('sourceAddress'),
    assurance: any || facts.has('assurance'),
    listener: any || facts.has('listener'),
    path: any || [...facts].some((fact) => fact.startsWith('parameter:')),
    findings: differ(before, after, 'inspection'),
    boundaries: [...new Set(ends.filter((end) => end !== null))],
  };
}

export function differ(before: Entries, after: Entries, kind: 'inspection' | 'limit'): boolean {
  const text = (entries: Entries): string => JSON.stringify(listEntries(entries, kind));
  return text(before) !== text(after);
}

/** Path parameters from a path and its template; null when they don't fit, and so can't be known. */
export function parametersOf(path: string, template: string): Record<string, string> | null {
  if (template === '') return {};
  const names: string[] = [];
  const pattern = template.replaceAll(/\{([^}]+)\}|[.*+?^$()|[\]\\]/g, (found: string, name: string | undefined) => {
    if (name === undefined) return `\\${found}`;
    names.push(name);
    return '([^/]*)';
  });
  const match = new RegExp(`${pattern}/?$`).exec(path);
  if (!match) return null;
  try {
    return Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(match[index + 1] ?? '')]));
  } catch {
    return null;
  }
}

const ASSURANCES = ['m0', 'm1', 'm2'] as const;
const LISTENERS = ['path', 'host', 'port', 'mcp'] as const;

/** The call as policies saw it; a text says why it can't be known. */
function contextOf(group: ReplayGroup, detail: ReplayDetail, entries: Entries): CallContext | string {
  const assurance = ASSURANCES.find((one) => one === group.assurance);
  const listener = LISTENERS.find((one) => one === group.listener);
  if (detail.assurance && !assurance) return 'recorded before events said how the client proved itself';
  if (detail.listener && !listener) return 'recorded before events said where the call came in';
  const app = getEntry(entries, 'app', group.appId);
  if (detail.path && app?.mcp) return 'arguments of tools are not recorded, and a rule looks at parameters';
  const parameters = detail.path ? parametersOf(group.path, group.template) : {};
  if (parameters === null) return 'the recorded path does not fit its template';
  return {
    time: group.firstAt,
    sourceAddress: group.address === '' ? '0.0.0.0' : group.address,
    assurance: assurance ?? 'm0',
    listener: listener ?? 'path',
    parameters,
  };
}

type Mutable = { -readonly [Key in keyof ReplayChange]: ReplayChange[Key] };

/**
 * Decides recorded calls again, under the entries as they are and as they would be. Pure: the caller has grouped the
 * calls by `replayDetail`, so a million events come to some thousand decisions.
 */
export function replay(input: {
  readonly before: Entries;
  readonly after: Entries;
  readonly builtIn: BuiltIn;
  readonly table: OperationTable;
  readonly detail: ReplayDetail;
  readonly groups: readonly ReplayGroup[];
}): Replay {
  const { before, after, builtIn, table, detail, groups } = input;
  const operations = (appId: string, id: string) => table.find(appId, id);
  const authorizers = [before, after].map((entries) => createAuthorizer({ entries, operations, builtIn }));
  const [was, is] = [authorizers[0]!, authorizers[1]!]; // two sets of entries
  const inspections = [compileInspection(before), compileInspection(after)] as const;
  const because = new Set<string>();
  const calls: WeighedCall[] = [];
  const blocked = new Map<string, Mutable>();
  let [left, changedSince, inspectionBreaks, inspectionOpens] = [0, 0, 0, 0];
  try {
    for (const group of groups) {
      const isDecided = DECIDED.test(group.reason);
      const why = isDecided ? contextOf(group, detail, before) : `refused before policies were asked: ${group.reason}`;
      if (typeof why === 'string' || !table.find(group.appId, group.operation)) {
        left += group.calls;
        because.add(typeof why === 'string' ? why : 'calls to operations that the app does not describe any more');
        continue;
      }
      const { integrationId, appId, operation: operationId, calls: count, firstAt, lastAt } = group;
      const call = { integrationId, appId, operationId, context: why, calls: count, firstAt, lastAt };
      calls.push(call);
      const [then, later] = [was.decide(call), is.decide(call)];
      const wasAllowed = group.reason !== 'gateway.not_authorized';
      if (wasAllowed !== (then.decision === 'allow')) changedSince += count;
      if (then.decision !== 'allow' || later.decision !== 'allow') continue;
      const effect = inspectionEffect(group, inspections);
      if (effect === null) continue;
      if (effect.effect === 'break') inspectionBreaks += count;
      else inspectionOpens += count;
      addBlocked(blocked, group, effect);
    }
    const compared = compareDecisions(was, is, calls);
    const changes = [...compared.changes.flatMap((change) => changeOf(change)), ...blocked.values()].sort(
      (a, b) => b.calls - a.calls,
    );
    return {
      calls: compared.calls,
      left,
      leftBecause: [...because],
      wouldBreak: compared.wouldBreak + inspectionBreaks,
      wouldOpen: compared.wouldOpen + inspectionOpens,
      changedSince,
      changes,
    };
  } finally {
    for (const authorizer of authorizers) authorizer.close();
  }
}

function changeOf(change: {
  readonly integrationId: string;
  readonly appId: string;
  readonly operationId: string;
  readonly before: Decision;
  readonly after: Decision;
  readonly calls: number;
  readonly firstAt: number;
  readonly lastAt: number;
}): ReplayChange[] {
  const { integrationId, appId, operationId: operation, before, after, calls, firstAt, lastAt } = change;
  const [wasAllowed, isAllowed] = [before.decision === 'allow', after.decision === 'allow'];
  if (wasAllowed === isAllowed) return [];
  const effect = wasAllowed ? 'break' : 'open';
  const by = 'authorization';
  return [{ integrationId, appId, operation, effect, by, calls, firstAt, lastAt, explanation: after.explanation }];
}

interface Effect {
  readonly effect: 'break' | 'open';
  readonly dataClass: string;
  readonly rule: string;
}

/** Whether what was found in a call's bodies would be blocked by the one set of rules and not by the other. */
function inspectionEffect(
  group: ReplayGroup,
  [was, is]: readonly [ReturnType<typeof compileInspection>, ReturnType<typeof compileInspection>],
): Effect | null {
  const { appId, integrationId, findings } = group;
  const blockedBy = (resolve: typeof was): { dataClass: string; rule: string } | null => {
    for (const finding of findings) {
      const [dataClass = '', direction] = finding.split(' ');
      const place = { appId, integrationId, direction: direction === 'request' ? 'request' : 'response' } as const;
      const { action, rule } = resolve(place)(dataClass);
      if (stopsCall(action)) return { dataClass, rule: rule.name };
    }
    return null;
  };
  const [then, later] = [blockedBy(was), blockedBy(is)];
  if ((then === null) === (later === null)) return null;
  const { dataClass, rule } = later ?? then!; // one of them isn't null
  return { effect: later ? 'break' : 'open', dataClass, rule };
}

function addBlocked(changes: Map<string, Mutable>, group: ReplayGroup, effect: Effect): void {
  const { integrationId, appId, operation, calls, firstAt, lastAt } = group;
  const key = JSON.stringify([integrationId, appId, operation, effect]);
  const known = changes.get(key);
  if (known) {
    known.calls += calls;
    known.firstAt = Math.min(known.firstAt, firstAt);
    known.lastAt = Math.max(known.lastAt, lastAt);
    return;
  }
  const verb = effect.effect === 'break' ? 'would be blocked' : 'would not be blocked any more';
  const explanation = `${effect.dataClass} ${verb} (rule ${effect.rule})`;
  const rest = { calls, firstAt, lastAt, explanation };
  changes.set(key, { integrationId, appId, operation, effect: effect.effect, by: 'inspection', ...rest });
}
