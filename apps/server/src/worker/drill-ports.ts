import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { createAlertCommands, createSourceCommands, listAlerts, listSources, type ParserSet } from '@cordon/detection';
import { DrillBroken, type DrillPorts, probesOf, type TargetApp } from '@cordon/drills';
import { type Estate, findApp, findIntegration, listGrants } from '@cordon/estate';
import type { Identity } from '@cordon/identity';
import { listCases, listRuns, NotAvailable } from '@cordon/incidents';
import { type Actor, AppId, type Clock, type Database, IntegrationId, type SecretEnvelope } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { knowsProduct } from '../detection-content.ts';
import { operationsOf } from '../roles/app-operations.ts';
import type { IncidentParts } from '../roles/incident-parts.ts';
import type { RoleConfig } from '../supervisor/role-config.ts';
import { createDrillCall, gatewayAddresses, obtainToken, sendOnce } from './drill-calls.ts';
import { createDrillFacts } from './drill-facts.ts';
import { DRILL_TARGET_DESCRIPTION, DRILL_TARGET_PATH } from './drill-target.ts';

const ACTOR: Actor = { kind: 'system', name: 'drill' };
const SOURCE_RATE_MAX = 1_000;
const OPEN_MAX = 200;
const SECRET_BYTES = 24;

export interface DrillPortDeps {
  readonly db: Database;
  readonly envelope: SecretEnvelope;
  readonly clock: Clock;
  readonly lake: Lake;
  readonly estate: Estate;
  readonly identity: Identity;
  readonly parsers: ParserSet;
  readonly incidents: IncidentParts;
  readonly config: RoleConfig;
}

/** A drill's ways to the real gateway, sources, playbooks, alerts and audit trail. */
export function createDrillPorts(deps: DrillPortDeps): DrillPorts {
  const { db, config } = deps;
  const sources = createSourceCommands({
    db,
    clock: deps.clock,
    envelope: deps.envelope,
    random: randomBytes,
    knowsProduct: (name) => knowsProduct(deps.parsers, name),
  });
  return {
    makeVictim: (drill, operations, keep) => makeVictim(deps, drill, operations, keep),

    async makeSource(name, product) {
      const known = (await listSources(db, deps.clock.now())).find((one) => one.name === name);
      const made = known
        ? await sources.rotate(ACTOR, known.id)
        : await sources.create(ACTOR, { name, product, rateMax: SOURCE_RATE_MAX, collect: null });
      return { id: made.source.id, credential: made.credential };
    },

    async deliver(credential, records) {
      const { status, text } = await sendOnce(new URL(`${config.worker.internalUrl}/ingest/v1/events`), {
        method: 'POST',
        headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
        body: JSON.stringify(records),
      });
      if (status !== 200) throw new DrillBroken(`The way in for events answered ${status}: ${text.slice(0, 200)}`);
      const answer = JSON.parse(text) as { accepted: number; dead_letters: number }; // our own worker's answer
      return { accepted: answer.accepted, deadLetters: answer.dead_letters };
    },

    gateways: () => gatewayAddresses(config),
    call: createDrillCall(config),
    observe: createDrillFacts(deps),

    async approve(runId, reason) {
      await deps.incidents.playbookRuns.decide(ACTOR, runId, { approve: true, reason });
    },

    async remove({ kind, ref }, reason) {
      if (kind === 'source') {
        if ((await listSources(db, deps.clock.now())).some(({ id }) => id === ref)) await sources.remove(ACTOR, ref);
      } else if (kind === 'app') {
        if (await findApp(db, { id: AppId.parse(ref) })) await deps.estate.apps.remove(ACTOR, ref);
      } else if (kind === 'integration') await endIntegration(deps, ref, reason);
    },

    settle: (drill, reason) => settle(deps, drill.id, reason),
  };
}

/** Revoked for good: integrations are never deleted, for the trail names them. */
async function endIntegration({ db, estate }: DrillPortDeps, id: string, reason: string): Promise<void> {
  for (const grant of await listGrants(db, { integrationId: id })) await estate.grants.remove(ACTOR, grant.id);
  const found = await findIntegration(db, { id: IntegrationId.parse(id) });
  if (found && found.status !== 'revoked') await estate.integrations.revoke(ACTOR, id, reason);
}

async function makeVictim(
  deps: DrillPortDeps,
  drill: Parameters<DrillPorts['makeVictim']>[0],
  operations: readonly string[],
  keep: Parameters<DrillPorts['makeVictim']>[2],
): ReturnType<DrillPorts['makeVictim']> {
  const { db, estate, identity, config } = deps;
  const { name, target } = drill;
  const purpose = `Exercise ${drill.id}: its token is stolen on purpose. Gone when the exercise is over.`;
  const app = target === null ? await makeApp(deps, name, keep) : await targetApp(db, target.appId);
  const integration =
    (await findIntegration(db, { name })) ??
    (await estate.integrations.create(ACTOR, { name, purpose, kind: 'service', assurance: 'm0' }));
  await keep({ kind: 'integration', ref: integration.id, name, sealed: null });
  await estate.grants.put(ACTOR, {
    integrationId: integration.id,
    appId: app.id,
    name: 'default',
    select: [{ kind: 'operations', ids: target === null ? [...operations] : [target.operation] }],
    resourceScope: [],
    expiresAt: null,
  });
  const made = await identity.oauthClients.create(ACTOR, {
    integrationId: IntegrationId.parse(integration.id),
    name,
    auth: { method: 'client_secret_basic' },
  });
  if (made.secret === null) throw new NotAvailable('The client was made without a secret.');
  const token = await obtainToken(config, made.client.id, made.secret);
  const victim = { integrationId: integration.id, appName: app.name, token };
  return target === null ? victim : { ...victim, probes: probesOf(app, target.operation) };
}

/** An app that somebody marked: nothing of it is changed, and it stays when the drill is over. */
async function targetApp(db: Database, appId: string): Promise<TargetApp> {
  const app = await findApp(db, { id: AppId.parse(appId) });
  if (!app) throw new DrillBroken('The app of this drill is gone.');
  return { id: app.id, name: app.name, operations: await operationsOf(db, app.id) };
}

/** The drill's own app, before records that the worker makes up. */
async function makeApp(
  { db, estate, config }: DrillPortDeps,
  name: string,
  keep: Parameters<DrillPorts['makeVictim']>[2],
): Promise<TargetApp> {
  const worker = new URL(config.worker.internalUrl);
  const { address } = await lookup(worker.hostname.replace(/^\[|\]$/g, ''));
  const upstream = `${worker.origin}${DRILL_TARGET_PATH}/${name}`;
  const app =
    (await findApp(db, { name })) ??
    (await estate.apps.create(ACTOR, {
      name,
      title: 'Target of an exercise',
      upstream,
      plaintext: worker.protocol === 'http:' ? 'allow' : 'refuse',
      privateAddresses: [address],
    }));
  await keep({ kind: 'app', ref: app.id, name, sealed: null });
  await estate.apps.setDescription(ACTOR, app.id, Buffer.from(DRILL_TARGET_DESCRIPTION));
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  await estate.apps.setCredential(ACTOR, app.id, { kind: 'bearer', secret, scheme: 'Bearer' });
  return { id: app.id, name, operations: [] };
}

/** Nothing of a drill is left open among what is real: runs are cancelled, alerts and cases closed. */
async function settle({ db, clock, incidents }: DrillPortDeps, id: string, reason: string) {
  const done = { alerts: 0, cases: 0, runs: 0 };
  const alerts = createAlertCommands({ db, clock });
  for (const one of await listCases(db, { drill: { id }, limit: OPEN_MAX })) {
    for (const run of await listRuns(db, { caseId: one.id, limit: OPEN_MAX })) {
      if (!['proposed', 'running', 'waiting'].includes(run.status)) continue;
      await incidents.playbookRuns.cancel(ACTOR, run.id, reason);
      done.runs += 1;
    }
    if (one.status === 'closed') continue;
    await incidents.cases.close(ACTOR, one.id, reason);
    done.cases += 1;
  }
  for (const one of await listAlerts(db, { drill: { id }, status: ['open', 'acknowledged'], limit: OPEN_MAX })) {
    await alerts.close(ACTOR, one.id, { reason: 'test', comment: reason });
    done.alerts += 1;
  }
  return done;
}
