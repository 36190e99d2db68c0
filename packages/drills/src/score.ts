import { dueMs, type Drill, type Entry } from './drill.ts';
import type { Facts } from './facts.ts';

export interface Check {
  readonly key: string;
  readonly kind: 'detected' | 'proposed' | 'contained' | 'notified' | 'held' | 'acted' | 'attended';
  readonly title: string;
  readonly limitMs: number | null;
  /** Null: it never happened. */
  readonly tookMs: number | null;
  readonly met: boolean;
  /** Where it stands: a record of the audit trail, an alert, an address. */
  readonly evidence: string;
}
interface Measures {
  /** From the first use to the first expected alert. */
  readonly detectMs: number | null;
  /** From the alert to the proposed playbook. */
  readonly proposeMs: number | null;
  /** From the proposal to a decision. */
  readonly decideMs: number | null;
  /** From the decision to the last gateway that refused. */
  readonly containMs: number | null;
  /** Of that, from the cut-off's own commit. */
  readonly cutOffMs: number | null;
  /** From the decision to the attacker's first refusal at the last address, and to its last call that got through. */
  readonly refusedMs: number | null;
  readonly lastThroughMs: number | null;
  readonly notifyMs: number | null;
  readonly gateways: number;
  readonly events: number;
}
export interface Score {
  readonly checks: readonly Check[];
  readonly met: number;
  readonly total: number;
  readonly missing: readonly string[];
  readonly measures: Measures;
}

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const least = (values: readonly number[]): number | null => (values.length === 0 ? null : Math.min(...values));
const most = (values: readonly number[]): number | null => (values.length === 0 ? null : Math.max(...values));
const span = (from: number | null, to: number | null): number | null =>
  from === null || to === null ? null : Math.max(0, to - from);

/** When the attack of an inject, or the inject itself, began. */
function beganAt(entries: readonly Entry[], injectId: string): number | null {
  const attack = entries.filter(
    ({ kind, detail }) => kind === 'call' && detail['inject'] === injectId && detail['baseline'] !== true,
  );
  const told = entries.find(({ kind, detail }) => kind === 'inject' && detail['inject'] === injectId);
  return least(attack.map(({ at }) => at)) ?? told?.at ?? null;
}

/** Judges a drill from what it left; the same before its end (what is open counts as missing) and after. */
export function scoreDrill(drill: Drill, entries: readonly Entry[], facts: Facts): Score {
  const { document, mode } = drill;
  const isLive = mode === 'live-fire';
  const measures = measure(drill, entries, facts);
  const checks: Check[] = [
    ...(isLive ? liveChecks(drill, entries, facts, measures) : tabletopChecks(drill, entries)),
    ...attendance(drill, entries, facts),
  ];
  const missing = [
    ...checks
      .filter(({ kind, met }) => kind === 'attended' && !met)
      .map(({ title }) => title.replace(/ took part$/, ' did not take part')),
    ...checks
      .filter(({ kind, tookMs, met }) => kind !== 'attended' && kind !== 'held' && !met && tookMs === null)
      .map(({ title }) => title),
  ];
  const attended = new Set(drill.participants.map(({ role }) => role));
  const unfilled = document.roles.filter((role) => !attended.has(role)).map((role) => `nobody had the role ${role}`);
  return {
    checks,
    met: checks.filter(({ met }) => met).length,
    total: checks.length,
    missing: [...missing, ...unfilled],
    measures,
  };
}

function measure(drill: Drill, entries: readonly Entry[], facts: Facts): Measures {
  const { document } = drill;
  const attack = entries.filter(({ kind, detail }) => kind === 'call' && detail['baseline'] !== true);
  const sent = entries.filter(({ kind, detail }) => kind === 'inject' && detail['events'] === true);
  const began = least([...attack, ...sent].map(({ at }) => at));
  const expected = new Set(document.detections.map(({ rule }) => rule));
  const alertAt = least(facts.alerts.filter(({ ruleId }) => expected.has(ruleId)).map(({ createdAt }) => createdAt));
  const proposedAt = least(facts.runs.flatMap(({ proposed }) => (proposed ? [proposed.at] : [])));
  const cut = facts.cutOffs.toSorted((a, b) => a.decided.at - b.decided.at)[0];
  const approvedAt = least(facts.runs.flatMap(({ approved }) => (approved ? [approved.at] : [])));
  // A cut-off by hand is its own decision.
  const decidedAt = cut && (approvedAt === null || approvedAt > cut.decided.at) ? cut.decided.at : approvedAt;
  const slowest = cut?.reached ? most(cut.gateways.map(({ delayMs }) => delayMs)) : null;
  const probes = entries.filter(({ kind }) => kind === 'probe').map(({ detail }) => detail);
  const refused = probes.map((one) => numberOf(one['refusedAt']));
  const through = probes.flatMap((one) => numberOf(one['lastOkAt']) ?? []);
  const notices = facts.messages.filter(({ channel }) => document.notices.some((one) => one.channel === channel));
  return {
    detectMs: drill.mode === 'live-fire' ? span(began, alertAt) : null,
    proposeMs: span(alertAt, proposedAt),
    decideMs: span(proposedAt, decidedAt),
    containMs: cut && slowest !== null ? span(decidedAt, cut.decided.at + slowest) : null,
    cutOffMs: slowest,
    refusedMs:
      refused.length === 0 || refused.includes(null) ? null : span(decidedAt, most(refused.flatMap((at) => at ?? []))),
    lastThroughMs: decidedAt === null ? null : span(decidedAt, most(through)),
    notifyMs: drill.mode === 'live-fire' ? span(began, least(notices.map(({ at }) => at))) : null,
    gateways: cut?.gateways.length ?? 0,
    events: facts.lake.events,
  };
}

function within(limitMs: number, tookMs: number | null): boolean {
  return tookMs !== null && tookMs <= limitMs;
}

function liveChecks(drill: Drill, entries: readonly Entry[], facts: Facts, measures: Measures): Check[] {
  const { document } = drill;
  const detected = document.detections.map(({ rule, after, within: limitMs }): Check => {
    const alert = facts.alerts.find(({ ruleId }) => ruleId === rule);
    const tookMs = span(beganAt(entries, after), alert?.createdAt ?? null);
    const evidence = alert ? `alert ${alert.id}` : 'no alert';
    const title = `Detected: ${alert?.title ?? rule}`;
    return { key: `detect:${rule}`, kind: 'detected', title, limitMs, tookMs, met: within(limitMs, tookMs), evidence };
  });
  const firstAlert = least(facts.alerts.map(({ createdAt }) => createdAt));
  const proposed = document.playbooks.map(({ name, within: limitMs }): Check => {
    const run = facts.runs.find(({ playbook, triggers }) => playbook === name || triggers.includes(name));
    const tookMs = span(firstAlert, run?.proposed?.at ?? null);
    const evidence = run?.proposed ? `audit record ${run.proposed.seq}` : 'no run was proposed';
    const title = `Playbook proposed: ${run?.playbook ?? name}`;
    return {
      key: `playbook:${name}`,
      kind: 'proposed',
      title,
      limitMs,
      tookMs,
      met: within(limitMs, tookMs),
      evidence,
    };
  });
  const notified = document.notices.map(({ id, title, channel, within: limitMs }): Check => {
    const message = facts.messages.find((one) => one.channel === channel);
    const tookMs = span(firstAlert, message?.at ?? null);
    const evidence = message ? `message ${message.id}, ${message.status}` : `nothing was written to "${channel}"`;
    return { key: `notice:${id}`, kind: 'notified', title, limitMs, tookMs, met: within(limitMs, tookMs), evidence };
  });
  const left = facts.messages.filter(({ status }) => status === 'sent');
  const held: Check = {
    key: 'held',
    kind: 'held',
    title: 'No message left the house',
    limitMs: null,
    tookMs: null,
    met: left.length === 0,
    evidence: left.length === 0 ? `${facts.messages.length} held back` : `${left.length} were sent`,
  };
  return [...detected, ...proposed, ...containment(drill, facts, measures), ...notified, held];
}

function containment({ document }: Drill, facts: Facts, measures: Measures): Check[] {
  if (!document.contain) return [];
  const { within: cutLimitMs, fromApproval } = document.contain;
  const cut = facts.cutOffs[0];
  const approved = facts.runs.find((run) => run.approved !== null)?.approved;
  const check = (key: string, title: string, limitMs: number, tookMs: number | null, evidence: string): Check => ({
    key,
    kind: 'contained',
    title,
    limitMs,
    tookMs,
    met: within(limitMs, tookMs),
    evidence,
  });
  const reached = cut?.reached ? `audit records ${cut.decided.seq} and ${cut.reached.seq}` : 'not at every gateway';
  const by = approved ? `approved by ${approved.by}, audit record ${approved.seq}` : 'cut off by hand';
  return [
    check('contain', `Cut off at every gateway (${measures.gateways})`, cutLimitMs, measures.cutOffMs, reached),
    check('contain-approved', 'From the approval to the last gateway', fromApproval, measures.containMs, by),
  ];
}

function tabletopChecks(drill: Drill, entries: readonly Entry[]): Check[] {
  return drill.document.actions.map(({ id, title, after, within: limit }): Check => {
    const limitMs = dueMs(drill, limit);
    // The latest word of the facilitator counts.
    const found = entries.findLast(({ kind, detail }) => kind === 'action' && detail['action'] === id);
    const isMet = found?.detail['met'] === true;
    const tookMs = isMet && found ? span(beganAt(entries, after), found.at) : null;
    const evidence = found ? `${found.author}: ${found.text}` : 'nobody saw it';
    return { key: `action:${id}`, kind: 'acted', title, limitMs, tookMs, met: within(limitMs, tookMs), evidence };
  });
}

function attendance(drill: Drill, entries: readonly Entry[], facts: Facts): Check[] {
  return drill.participants.map(({ role, name, personId }): Check => {
    const answers = entries.filter(
      ({ kind, detail }) =>
        kind === 'response' && (detail['role'] === role || (personId !== undefined && detail['personId'] === personId)),
    );
    const acts = facts.acts.filter((one) => one.personId === personId);
    const first = least([...answers.map(({ at }) => at), ...acts.map(({ at }) => at)]);
    const tookMs = span(drill.startedAt, first);
    const evidence = `answers: ${answers.length}, acts in the audit trail: ${acts.length}`;
    const title = `${name} (${role}) took part`;
    return {
      key: `role:${role}:${name}`,
      kind: 'attended',
      title,
      limitMs: null,
      tookMs,
      met: first !== null,
      evidence,
    };
  });
}
