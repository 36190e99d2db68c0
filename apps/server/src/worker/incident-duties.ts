import { isIP } from 'node:net';
import type { ActionRunner } from '@cordon/connectors';
import { loadAlert, type RuleSet } from '@cordon/detection';
import { findIntegration } from '@cordon/estate';
import { checkLiteralHost, guardedLookup } from '@cordon/gateway';
import type { Identity } from '@cordon/identity';
import {
  addEntry,
  createRunWorkflow,
  loadCase,
  type Run,
  type RunEngine,
  sendMessages,
  wakeDueRuns,
} from '@cordon/incidents';
import {
  type AnyWorkflow,
  type Clock,
  type Database,
  type Logger,
  openWorkflowClient,
  type SecretEnvelope,
} from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import type { BackupPlaybookPort } from '../backup/playbook-port.ts';
import { createIncidentParts } from '../roles/incident-parts.ts';
import { postJson } from './alert-notifier.ts';
import { openCasesForAlerts } from './case-triggers.ts';
import { createDrillTransport } from './drill-transport.ts';
import { createCommunicationParts } from '../roles/communication-parts.ts';
import { startCommunicationDuties } from './communication-duties.ts';
import { createPlaybookTransport } from './playbook-ports.ts';
import { type Repeating, repeat } from './repeating.ts';
import { createWorkerEstate } from './worker-estate.ts';

const WAKE_MS = 500;
const MESSAGES_MS = 500;
const TRIGGER_MS = 1_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface IncidentDuties {
  /** For `startWorkflows`. */
  readonly definitions: readonly AnyWorkflow[];
  /** Begins what repeats; call it when workflows run. */
  start(): void;
  stop(): Promise<void>;
}

/** The address of a mail server, judged by the egress guard before anything connects. */
async function resolveGuarded(host: string, privateAddresses: readonly string[]): Promise<string> {
  checkLiteralHost(host, privateAddresses);
  if (isIP(host) !== 0) return host;
  const guarded = guardedLookup(privateAddresses);
  return new Promise((resolve, reject) => {
    guarded(host, { family: 0 }, (error, address) => {
      if (error) reject(error);
      else resolve(typeof address === 'string' ? address : (address[0]?.address ?? host));
    });
  });
}

/** The exercise that a run belongs to, by its case or its alert; null: it is real. */
async function drillOf(db: Database, { caseId, alertId }: Run): Promise<string | null> {
  const drill = caseId === null ? null : (await loadCase(db, caseId)).drill;
  return drill ?? (alertId === null ? null : (await loadAlert(db, alertId)).drill);
}

/** The worker's half of incidents: drives runs, sends messages, opens cases for alerts. */
export async function createIncidentDuties(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly lake: Lake;
  readonly identity: Identity;
  readonly ruleSet: RuleSet;
  readonly connectorActions: ActionRunner;
  readonly backup: BackupPlaybookPort;
  readonly publicUrl: string;
}): Promise<IncidentDuties> {
  const { db, clock, envelope, logger, identity } = deps;
  const workflows = await openWorkflowClient({ databaseUrl: db.url, logger });
  const estate = createWorkerEstate({ db, clock, envelope, logger, workflows, identity });
  const parts = createIncidentParts({ db, clock, envelope, workflows });
  const transport = createPlaybookTransport({ ...deps, estate });
  const engine: RunEngine = {
    db,
    clock,
    logger,
    actions: parts.actions,
    transport,
    async transportOf(run) {
      const drillId = await drillOf(db, run);
      return drillId === null ? transport : createDrillTransport({ db, clock, drillId }, transport);
    },
    findPlaybook: (id) => parts.library.find(id),
    async onEnd(tx, run, { ok, error }) {
      if (run.caseId === null || run.mode === 'simulate') return;
      const at = clock.now();
      const text = `Playbook "${run.playbookName}" ${run.status === 'undoing' ? 'was undone' : 'ended'}: ${ok ? 'all went well' : (error ?? 'it failed')}`;
      await addEntry(tx, run.caseId, {
        kind: 'act',
        at,
        recordedAt: at,
        author: 'playbook',
        text,
        detail: { run: run.id },
      });
    },
  };
  const duties: Repeating[] = [];
  const triggers = {
    db,
    clock,
    logger,
    ruleSet: deps.ruleSet,
    library: parts.library,
    runs: parts.playbookRuns,
    integrationName: async (id: string) => (UUID.test(id) ? ((await findIntegration(db, { id }))?.name ?? null) : null),
  };
  return {
    definitions: [createRunWorkflow(engine)],
    start() {
      duties.push(
        ...startCommunicationDuties(
          createCommunicationParts({ db, clock, envelope, publicUrl: deps.publicUrl }),
          logger,
        ),
        repeat('playbook timers', WAKE_MS, logger, () => wakeDueRuns(db, workflows, clock.now())),
        repeat('case messages', MESSAGES_MS, logger, () =>
          sendMessages({ db, clock, logger, envelope, postJson, resolve: resolveGuarded }),
        ),
        repeat('cases for alerts', TRIGGER_MS, logger, () => openCasesForAlerts(triggers)),
      );
    },
    async stop() {
      await Promise.all(duties.map((duty) => duty.stop()));
      await workflows.close();
    },
  };
}
