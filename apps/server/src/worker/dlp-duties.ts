import type { Classifier } from '@cordon/classifier';
import type { Connectors, Manifests } from '@cordon/connectors';
import {
  createRemedyWorkflow,
  createScanWorkflow,
  enforceScan,
  ensureTokenKey,
  type JudgementSource,
  openTokens,
  type RemedyDeps,
  type ScanCommandDeps,
  startDueScans,
  sweepPasses,
  sweepStoppedCalls,
} from '@cordon/dlp';
import { listApps, listRules, publish } from '@cordon/estate';
import { listSets, startDueRetention } from '@cordon/governance';
import type { AnyWorkflow, Clock, Database, Logger, SecretEnvelope, WorkflowClient } from '@cordon/kernel';
import { type InspectionEntry, resolveInspection } from '@cordon/policy';
import { tellOfIncident } from './dlp-alert.ts';
import { createFileText } from './dlp-files.ts';
import { createDlpTools } from './dlp-tools.ts';
import { repeat } from './repeating.ts';

const SCHEDULE_MS = 30_000;
const SWEEP_MS = 60_000;
const RULES_MS = 5_000;

export interface DlpDuties {
  readonly definitions: readonly AnyWorkflow[];
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** The rules and labels as they are now, read at most every few seconds. */
function createJudgement(db: Database, clock: Clock): JudgementSource {
  let known: { readonly at: number; readonly value: ReturnType<JudgementSource['load']> } | undefined;
  const load = async (): ReturnType<JudgementSource['load']> => {
    const [rules, sets, apps] = await Promise.all([listRules(db, 'inspection'), listSets(db, {}), listApps(db)]);
    const entries = rules.map(({ id, entry }): InspectionEntry => ({ ...entry, id }));
    const labels = new Map(sets.map(({ app, object, label }) => [`${app}\0${object}`, label]));
    const appIds = new Map(apps.map(({ id, name }) => [name, id]));
    const resolvers = new Map<string, ReturnType<typeof resolveInspection>>();
    return {
      rules({ connector, object, sharing, personId }) {
        const isPersonal = entries.some((rule) => rule.personId !== null && rule.personId === personId);
        const key = `${connector}\0${object}\0${sharing}\0${isPersonal ? personId : ''}`;
        const resolver =
          resolvers.get(key) ??
          resolveInspection(entries, {
            direction: 'at-rest',
            connector,
            sharing,
            personId,
            appId: appIds.get(connector),
            dataLabel: labels.get(`${connector}\0${object}`),
          });
        resolvers.set(key, resolver);
        return resolver;
      },
    };
  };
  return {
    load() {
      const now = clock.now();
      if (!known || now - known.at > RULES_MS) known = { at: now, value: load() };
      return known.value;
    },
  };
}

/** Scans, remedies and what has to be looked after for them. */
export function createDlpDuties(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly connectors: Connectors;
  readonly manifests: Manifests;
  readonly workflows: WorkflowClient;
  readonly classifier: Classifier;
}): DlpDuties {
  const { db, clock, envelope, logger, workflows, classifier } = deps;
  const tools = createDlpTools(deps.connectors, deps.manifests);
  const remedies: RemedyDeps = { db, clock, classifier, tools, workflows, tokens: () => openTokens(db, envelope) };
  const targets: ScanCommandDeps['targets'] = async () => (await tools.list()).filter(({ active }) => active);
  const scans = createScanWorkflow({
    db,
    clock,
    logger,
    classifier,
    tools,
    files: createFileText(),
    judgement: createJudgement(db, clock),
    onFound: (tx, incident) => tellOfIncident(tx, incident, clock.now()),
    enforce: (scan) => enforceScan(remedies, scan),
  });
  const duties: { stop(): Promise<void> }[] = [];
  return {
    definitions: [scans, createRemedyWorkflow(remedies)],
    async start() {
      await ensureTokenKey({ db, clock, envelope, publish });
      const due = () => startDueScans({ db, clock, workflows, targets });
      duties.push(
        repeat('scan schedules', SCHEDULE_MS, logger, due),
        repeat('retention schedules', SCHEDULE_MS, logger, () => startDueRetention({ db, clock, workflows })),
        repeat('inspection passes', SWEEP_MS, logger, async () => {
          await sweepPasses({ db, clock, publish });
          await sweepStoppedCalls(db, clock.now());
        }),
      );
    },
    async stop() {
      await Promise.all(duties.map((duty) => duty.stop()));
    },
  };
}
