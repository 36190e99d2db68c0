import { setTimeout } from 'node:timers/promises';
import { type ActionRunner, listConnections, type Manifests } from '@cordon/connectors';
import { raiseAlerts, stableId } from '@cordon/detection';
import {
  type Catalogue,
  createActWorkflow,
  createAppCommands,
  type FoundApp,
  type FoundUse,
  readHost,
  recordEvidence,
  type RotationSteps,
  usesOfGrants,
} from '@cordon/discovery';
import { createEstate } from '@cordon/estate';
import type { Identity } from '@cordon/identity';
import type { AnyWorkflow, Clock, Database, Logger, SecretEnvelope, Transaction, WorkflowClient } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { advanceCampaigns, createReviewWorkflow } from '@cordon/review';
import { createActPorts } from '../discovery/act-ports.ts';
import { loadDiscoveryContent } from '../discovery/discovery-content.ts';
import { createReviewActs } from '../discovery/review-acts.ts';
import { readGrants, readPeople, readServed } from '../discovery/tool-reads.ts';
import { createDiscoveryMail } from '../roles/discovery-parts.ts';
import { type Repeating, repeat } from './repeating.ts';

const TOOLS_MS = 5_000;
const LAKE_MS = 30_000;
const TELL_MS = 2_000;
const REVIEWS_MS = 5_000;
const DAY_MS = 86_400_000;
/** Events come late: the last days are summed anew each time. */
const LAKE_DAYS = 2;
const ROWS_MAX = 10_000;
const TARGETS_MAX = 100;
const RULE = 'cordon.discovery';

export interface DiscoveryDuties {
  /** For `startWorkflows`. */
  readonly definitions: readonly AnyWorkflow[];
  start(): void;
  stop(): Promise<void>;
}

export interface DiscoveryDutyDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly lake: Lake;
  readonly identity: Identity;
  readonly manifests: Manifests;
  readonly actions: ActionRunner;
  readonly workflows: WorkflowClient;
  readonly publicUrl: string;
}

export interface Sweep extends Pick<DiscoveryDutyDeps, 'db' | 'clock' | 'manifests' | 'lake'> {
  readonly catalogue: Catalogue;
}

/** What connected tools show of software that people let in. */
export async function sweepTools({ db, clock, manifests, catalogue }: Sweep): Promise<void> {
  const now = clock.now();
  const served = await readServed(db, manifests);
  for (const connection of await listConnections(db)) {
    const grants = await readGrants(db, connection.id);
    const { uses, names } = usesOfGrants(catalogue, connection, grants, await readPeople(db, connection.id), now);
    for (const evidence of ['grant', 'webhook'] as const) {
      const theirs = uses.filter((use) => use.evidence === evidence);
      await recordEvidence(db, { catalogue, served, now }, { evidence, bucket: connection.id, uses: theirs, names });
    }
  }
}

/** Hosts that were reached through gateway and forward proxy on one day, by who. */
async function trafficOf({ lake, catalogue }: Sweep, from: number, bucket: string): Promise<FoundUse[]> {
  const rows = await lake.traffic({ by: ['host', 'integration', 'actor'], from, to: from + DAY_MS, limit: ROWS_MAX });
  const uses = new Map<string, FoundUse>();
  for (const row of rows) {
    const host = readHost(row.host ?? '');
    const app = host === null ? undefined : catalogue.byHost(host);
    const events = row.calls - row.refusals;
    if (!app || events <= 0) continue;
    const who = (row.actor?.name || row.actor?.id || row.integration?.name || '').toLowerCase();
    const before = uses.get(`${app.id}\0${who}`);
    uses.set(`${app.id}\0${who}`, {
      app: app.id,
      evidence: 'traffic',
      bucket,
      who,
      source: 'gateway and forward proxy',
      detail: null,
      firstAt: before?.firstAt ?? from,
      lastAt: Math.max(row.lastAt, before?.lastAt ?? 0),
      events: events + (before?.events ?? 0),
      bytes: row.requestBytes + row.responseBytes + (before?.bytes ?? 0),
    });
  }
  return [...uses.values()];
}

/** Apps that people signed in to through an identity provider, as its events name them. */
async function signInsOf({ lake, catalogue }: Sweep, from: number, bucket: string): Promise<FoundUse[]> {
  const scope = { from, to: from + DAY_MS, query: 'class:authentication status:success' };
  const { target = [] } = await lake.facets({ ...scope, fields: ['target'], limit: TARGETS_MAX });
  const uses: FoundUse[] = [];
  for (const { value } of target) {
    const app = catalogue.byClient(value);
    if (!app) continue;
    const filters = [{ field: 'target', operator: '=' as const, value }];
    const { actor = [] } = await lake.facets({ ...scope, filters, fields: ['actor'], limit: TARGETS_MAX });
    for (const { value: who, count } of actor) {
      const base = { app: app.id, evidence: 'sign_in', bucket, source: 'sign-on', detail: null } as const;
      uses.push({ ...base, who: who.toLowerCase(), firstAt: from, lastAt: from + DAY_MS - 1, events: count, bytes: 0 });
    }
  }
  return uses;
}

async function sweepLake(sweep: Sweep): Promise<void> {
  const { db, clock, manifests, catalogue } = sweep;
  const now = clock.now();
  const served = await readServed(db, manifests);
  for (let back = LAKE_DAYS - 1; back >= 0; back -= 1) {
    const from = Math.floor(now / DAY_MS) * DAY_MS - back * DAY_MS;
    const bucket = new Date(from).toISOString().slice(0, 10);
    const traffic = await trafficOf(sweep, from, bucket);
    await recordEvidence(db, { catalogue, served, now }, { evidence: 'traffic', bucket, uses: traffic });
    const signIns = await signInsOf(sweep, from, bucket);
    const dated = signIns.map((use) => ({ ...use, lastAt: Math.min(use.lastAt, now) }));
    await recordEvidence(db, { catalogue, served, now }, { evidence: 'sign_in', bucket, uses: dated });
  }
}

/** A new app is an alert: it goes where alerts go, webhooks included. */
async function tell(tx: Transaction, catalogue: Catalogue, app: FoundApp, now: number): Promise<void> {
  const weight = catalogue.find(app.key)?.hints.reduce((sum, hint) => sum + hint.weight, 0) ?? 0;
  await raiseAlerts(
    tx,
    [
      {
        id: stableId('discovery', app.key),
        ruleId: RULE,
        ruleKind: 'rule',
        title: `New app in use: ${app.name}`,
        level: weight >= 40 ? 'medium' : 'low',
        entity: { type: 'product', id: app.key, name: app.name },
        product: 'cordon',
        at: app.createdAt,
        eventIds: [],
        receivedAt: now,
      },
    ],
    now,
  );
}

/** The worker's half of discovery and reviews: reads what tools and lake show, tells, and takes away what was decided. */
export function createDiscoveryDuties(deps: DiscoveryDutyDeps): DiscoveryDuties {
  const { db, clock, envelope, logger, identity, workflows, actions } = deps;
  const content: { catalogue: Catalogue; steps: RotationSteps } = loadDiscoveryContent();
  const { catalogue } = content;
  const estate = createEstate(
    {
      db,
      clock,
      envelope,
      logger,
      workflows,
      endAccess: (tx, input) => identity.oauthClients.endAccess(tx, input),
      restoreAccess: (tx, input) => identity.oauthClients.restoreAccess(tx, input),
    },
    // No policy is written here.
    () => undefined,
  );
  const apps = createAppCommands({
    db,
    clock,
    catalogue,
    workflows,
    ports: { block: (tx, hosts, at) => estate.proxy.block(tx, hosts, at), tellAsked: async () => undefined },
  });
  const pause = (ms: number): Promise<void> => setTimeout(ms);
  const sweep: Sweep = { ...deps, catalogue };
  const mail = createDiscoveryMail(deps);
  const duties: Repeating[] = [];
  return {
    definitions: [
      createActWorkflow({ db, clock, logger, pause, ports: createActPorts({ ...deps, ...content }) }),
      createReviewWorkflow({ db, clock, logger, pause, ports: createReviewActs({ db, estate, actions }) }),
    ],
    start() {
      duties.push(
        repeat('discovery of grants', TOOLS_MS, logger, () => sweepTools(sweep)),
        repeat('discovery of traffic', LAKE_MS, logger, () => sweepLake(sweep)),
        repeat('new apps', TELL_MS, logger, async () => {
          await apps.tellNew((tx, app) => tell(tx, catalogue, app, clock.now()));
          await apps.expire();
        }),
        repeat('reviews', REVIEWS_MS, logger, () => advanceCampaigns({ db, clock, workflows, mail })),
      );
    },
    async stop() {
      await Promise.all(duties.map((duty) => duty.stop()));
    },
  };
}
