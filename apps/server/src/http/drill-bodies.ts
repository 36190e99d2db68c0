import {
  DRILL_STATUSES,
  type Drill,
  drillTarget,
  elapsedMs,
  type Entry,
  ENTRY_KINDS,
  MODES,
  participant,
  type Scenario,
  scoreDrill,
  NO_FACTS,
  type Score,
} from '@cordon/drills';
import { z } from 'zod';

/** Response schemas of drills. Times are milliseconds since the epoch, durations milliseconds. */

const ms = z.int().nullable();

const scoreBody = z.object({
  checks: z.array(
    z.object({
      key: z.string(),
      kind: z.string(),
      title: z.string(),
      limitMs: ms,
      tookMs: ms,
      met: z.boolean(),
      evidence: z.string(),
    }),
  ),
  met: z.int(),
  total: z.int(),
  missing: z.array(z.string()),
  measures: z.object({
    detectMs: ms,
    proposeMs: ms,
    decideMs: ms,
    containMs: ms,
    cutOffMs: ms,
    refusedMs: ms,
    lastThroughMs: ms,
    notifyMs: ms,
    gateways: z.int(),
    events: z.int(),
  }),
});

export const scenarioSummary = z.object({
  /** Whether it steals a token, so that it can be played against a marked app of the estate. */
  stealsToken: z.boolean(),
  name: z.string(),
  title: z.string(),
  summary: z.string(),
  incident: z.object({ name: z.string(), when: z.string(), who: z.string() }).nullable(),
  modes: z.array(z.enum(MODES)),
  attack: z.array(z.object({ id: z.string(), name: z.string() })),
  roles: z.array(z.string()),
  limitMs: z.int(),
  injects: z.int(),
  detections: z.int(),
});

export const scenarioDetail = scenarioSummary.extend({
  objectives: z.array(z.string()),
  plan: z.array(
    z.object({ id: z.string(), atMs: z.int(), title: z.string(), tells: z.boolean(), events: z.int(), calls: z.int() }),
  ),
  expected: z.array(z.object({ rule: z.string(), withinMs: z.int() })),
  sources: z.array(
    z.object({
      title: z.string(),
      url: z.string(),
      publisher: z.string().nullable(),
      checked: z.enum(['yes', 'no']),
      note: z.string(),
    }),
  ),
  notChecked: z.array(z.string()),
});

export const drillBody = z.object({
  id: z.string(),
  number: z.int(),
  scenario: z.string(),
  title: z.string(),
  digest: z.string(),
  mode: z.enum(MODES),
  status: z.enum(DRILL_STATUSES),
  /** The app of the estate that it is played against; null: an emulator of its own. */
  target: drillTarget.nullable(),
  decide: z.enum(['person', 'drill']),
  pace: z.enum(['clock', 'facilitator']),
  participants: z.array(participant),
  facilitator: z.object({ kind: z.string(), id: z.string().nullable(), name: z.string() }),
  createdAt: z.int(),
  startedAt: ms,
  paused: z.boolean(),
  elapsedMs: z.int(),
  limitMs: z.int(),
  endedAt: ms,
  stopReason: z.string().nullable(),
  error: z.string().nullable(),
  score: scoreBody.nullable(),
  lessons: z.string(),
});

const told = z.object({
  id: z.string(),
  title: z.string(),
  atMs: z.int(),
  /** When it was told; null: not yet. */
  toldAt: ms,
  from: z.string().nullable(),
  to: z.array(z.string()),
  text: z.string().nullable(),
  questions: z.array(z.string()),
  /** For facilitators alone. */
  guidance: z.string().nullable(),
});

export const drillDetail = drillBody.extend({
  summary: z.string(),
  objectives: z.array(z.string()),
  roles: z.array(z.string()),
  /** Whether the reader leads it: sees what is still to come and what is expected. */
  leads: z.boolean(),
  injects: z.array(told),
  actions: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      role: z.string(),
      after: z.string(),
      withinMs: z.int(),
      kind: z.string(),
      met: z.boolean().nullable(),
    }),
  ),
  entries: z.array(
    z.object({
      key: z.string(),
      kind: z.enum(ENTRY_KINDS),
      at: z.int(),
      author: z.string(),
      text: z.string(),
      detail: z.record(z.string(), z.unknown()),
    }),
  ),
  objects: z.array(z.object({ kind: z.string(), ref: z.string(), name: z.string(), madeAt: z.int(), removedAt: ms })),
});

export const quarterBody = z.object({
  quarter: z.string(),
  drills: z.int(),
  liveFires: z.int(),
  metShare: z.number().nullable(),
  detectMs: ms,
  decideMs: ms,
  containMs: ms,
  notifyMs: ms,
  missing: z.int(),
});

export const scheduleBody = z.object({
  id: z.string(),
  name: z.string(),
  scenario: z.string(),
  mode: z.enum(MODES),
  decide: z.enum(['person', 'drill']),
  target: z.string().nullable(),
  participants: z.array(participant),
  everyDays: z.int(),
  remindDays: z.array(z.int()),
  channel: z.string().nullable(),
  startsItself: z.boolean(),
  nextAt: z.int(),
  createdAt: z.int(),
  createdBy: z.string(),
});

export function showScenario(of: Scenario): z.output<typeof scenarioSummary> {
  return {
    stealsToken: of.target !== undefined,
    name: of.name,
    title: of.title,
    summary: of.summary,
    incident: of.incident ?? null,
    modes: [...of.modes],
    attack: [...of.attack],
    roles: [...of.roles],
    limitMs: of.limit,
    injects: of.injects.length,
    detections: of.detections.length,
  };
}

export function showScenarioWhole(of: Scenario): z.output<typeof scenarioDetail> {
  return {
    ...showScenario(of),
    objectives: [...of.objectives],
    plan: of.injects.map(({ id, at, title, message, events, calls }) => ({
      id,
      atMs: at,
      title,
      tells: message !== undefined,
      events: events ? (of.records[events.file]?.length ?? 0) : 0,
      calls: (calls ?? []).reduce((sum, { times }) => sum + times, 0),
    })),
    expected: of.detections.map(({ rule, within }) => ({ rule, withinMs: within })),
    sources: of.sources.map((one) => ({ ...one, publisher: one.publisher ?? null })),
    notChecked: [...of.notChecked],
  };
}

function showScore(score: Score): z.output<typeof scoreBody> {
  return {
    ...score,
    checks: score.checks.map((one) => ({ ...one })),
    missing: [...score.missing],
    measures: { ...score.measures },
  };
}

export function showDrill(drill: Drill, now: number): z.output<typeof drillBody> {
  const { document, pausedAt, participants, score, facilitator } = drill;
  return {
    id: drill.id,
    number: drill.number,
    scenario: drill.scenario,
    title: drill.title,
    digest: drill.digest,
    mode: drill.mode,
    status: drill.status,
    target: drill.target,
    decide: drill.decide,
    pace: drill.pace,
    participants: [...participants],
    facilitator: { ...facilitator },
    createdAt: drill.createdAt,
    startedAt: drill.startedAt,
    paused: pausedAt !== null,
    elapsedMs: Math.round(elapsedMs(drill, now)),
    limitMs: Math.round(document.limit * drill.stretch),
    endedAt: drill.endedAt,
    stopReason: drill.stopReason,
    error: drill.error,
    score: score && showScore(score),
    lessons: drill.lessons,
  };
}

/** Of entries participants see what was told and said, not what the facilitator notes or judges meanwhile. */
const OPEN_KINDS: ReadonlySet<string> = new Set(['status', 'inject', 'response']);

/** A drill as this reader may see it: who doesn't lead it sees no inject before its time, and no expectation. */
export function showDrillWhole(
  drill: Drill,
  entries: readonly Entry[],
  objects: z.output<typeof drillDetail>['objects'],
  reader: { readonly leads: boolean; readonly now: number },
): z.output<typeof drillDetail> {
  const { document } = drill;
  const isOver = drill.endedAt !== null;
  const seesAll = reader.leads || isOver;
  const toldAt = new Map(
    entries.flatMap(({ kind, at, detail }) => (kind === 'inject' ? [[detail['inject'], at]] : [])),
  );
  const interim = drill.mode === 'tabletop' && !isOver && drill.startedAt !== null && reader.leads;
  const shown = showDrill(drill, reader.now);
  return {
    ...shown,
    score: interim ? showScore(scoreDrill(drill, entries, NO_FACTS)) : seesAll ? shown.score : null,
    summary: seesAll ? document.summary : '',
    objectives: [...document.objectives],
    roles: [...document.roles],
    leads: reader.leads,
    injects: document.injects
      .filter(({ id }) => seesAll || toldAt.has(id))
      .map(({ id, title, at, message }) => ({
        id,
        title,
        atMs: Math.round(at * drill.stretch),
        toldAt: toldAt.get(id) ?? null,
        from: message?.from ?? null,
        to: [...(message?.to ?? [])],
        text: message?.text ?? null,
        questions: [...(message?.questions ?? [])],
        guidance: seesAll ? (message?.guidance ?? '') : null,
      })),
    actions: seesAll
      ? document.actions.map(({ id, title, role, after, within, kind }) => {
          const judged = entries.findLast((one) => one.kind === 'action' && one.detail['action'] === id);
          const met = judged ? judged.detail['met'] === true : null;
          return { id, title, role, after, withinMs: Math.round(within * drill.stretch), kind, met };
        })
      : [],
    entries: entries
      .filter(({ kind }) => seesAll || OPEN_KINDS.has(kind))
      .map((one) => ({ ...one, detail: { ...one.detail } })),
    objects,
  };
}
