import { listAlerts } from '@cordon/detection';
import { type DrillPorts, type Facts, NO_FACTS, type Recorded } from '@cordon/drills';
import { type GatewayReach, listCutOffs, listGateways } from '@cordon/estate';
import {
  listCases,
  listMessages,
  listRuns,
  missingInputs,
  readPlaybook,
  type Run,
  triggersOf,
} from '@cordon/incidents';
import { type AuditRecord, type Clock, type Database, readAudit } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { drillLabel } from './finding-event.ts';

const ALERTS_MAX = 200;
const CASES_MAX = 100;
const RUNS_MAX = 100;
const AUDIT_MAX = 100;
const COUNT_AROUND_MS = 24 * 3_600_000;

type Counted = Facts['lake'];

export interface FactsDeps {
  readonly db: Database;
  readonly lake: Lake;
  readonly clock: Clock;
}

/** Reads what a drill left: alerts, cases, runs, cut-offs and messages, the audit trail, the lake. */
export function createDrillFacts({ db, lake, clock }: FactsDeps): DrillPorts['observe'] {
  const countLake = async (drillId: string, startedAt: number): Promise<Counted> => {
    const scope = { from: startedAt - COUNT_AROUND_MS, to: clock.now() + COUNT_AROUND_MS };
    const labelled = `metadata.labels.0:${drillLabel(drillId)}`;
    const all = await lake.count({ ...scope, query: labelled });
    const findings = await lake.count({ ...scope, query: `${labelled} class:detection-finding` });
    return { events: all - findings, findings };
  };
  return async (drill, objects) => {
    const of = { id: drill.id };
    const [alerts, cases, gateways, counted] = await Promise.all([
      listAlerts(db, { drill: of, limit: ALERTS_MAX }),
      listCases(db, { drill: of, limit: CASES_MAX }),
      listGateways(db, clock.now()),
      drill.counted ? countLake(drill.id, drill.startedAt) : NO_FACTS.lake,
    ]);
    const runs = (await Promise.all(cases.map(({ id }) => listRuns(db, { caseId: id, limit: RUNS_MAX })))).flat();
    const messages = (await Promise.all(cases.map(({ id }) => listMessages(db, id)))).flat();
    const integrations = objects.filter(({ kind }) => kind === 'integration').map(({ ref }) => ref);
    const targets = [
      { type: 'drill', id: drill.id },
      ...alerts.map(({ id }) => ({ type: 'alert', id })),
      ...cases.map(({ id }) => ({ type: 'case', id })),
      ...integrations.map((id) => ({ type: 'integration', id })),
    ];
    const records = (await Promise.all(targets.map((target) => readAudit(db, { target, limit: AUDIT_MAX })))).flat();
    const runFacts = await Promise.all(runs.map(async (run) => runFact(db, run)));
    return {
      alerts: alerts.map(({ id, ruleId, title, level, createdAt }) => ({ id, ruleId, title, level, createdAt })),
      runs: runFacts.map(({ fact }) => fact),
      cutOffs: (await Promise.all(integrations.map(async (id) => cutOffFacts(db, id, records)))).flat(),
      messages: messages.map(({ id, channel, createdAt, status }) => ({ id, channel, at: createdAt, status })),
      acts: [...records, ...runFacts.flatMap((one) => one.records)].flatMap(({ actor, at, action }) =>
        actor.kind === 'person' && actor.id !== null ? [{ personId: actor.id, at, action }] : [],
      ),
      lake: counted,
      liveGateways: gateways.filter(({ live }) => live).length,
    };
  };
}

const recorded = (record: AuditRecord | undefined): Recorded | null =>
  record ? { at: record.at, seq: record.seq } : null;

async function runFact(db: Database, run: Run) {
  const records = await readAudit(db, { target: { type: 'playbook-run', id: run.id }, limit: AUDIT_MAX });
  const named = (action: string) => records.findLast((one) => one.action === action);
  const approved = records.findLast(
    ({ action, detail }) => action === 'playbook_run.approved' && detail['act'] === null,
  );
  const fact: Facts['runs'][number] = {
    id: run.id,
    playbook: run.playbookName,
    triggers: triggersOf(readPlaybook(run.document)),
    status: run.status,
    missing: missingInputs(run),
    caseId: run.caseId,
    proposed: recorded(named('playbook_run.proposed') ?? named('playbook_run.started')),
    approved: approved ? { at: approved.at, seq: approved.seq, by: approved.actor.name } : null,
  };
  return { fact, records };
}

/** The decision and the reach stand in the audit trail; the table beside it says how long each gateway took. */
async function cutOffFacts(
  db: Database,
  integrationId: string,
  records: readonly AuditRecord[],
): Promise<Facts['cutOffs'][number][]> {
  const of = (action: string, epoch: number) =>
    records.find((one) => one.action === action && one.target.id === integrationId && one.detail['epoch'] === epoch);
  return (await listCutOffs(db, integrationId)).flatMap((cut) => {
    const decided = recorded(of('integration.revoked', cut.epoch) ?? of('integration.suspended', cut.epoch));
    if (!decided) return [];
    const reached = recorded(of('integration.cut_off_reached', cut.epoch));
    const gateways = cut.gateways.map(({ id, pid, delayMs }: GatewayReach) => ({ id, pid, delayMs }));
    return [{ integrationId, decided, reached, gateways }];
  });
}
