import { setTimeout } from 'node:timers/promises';
import type { ActionRunner, RunActionInput } from '@cordon/connectors';
import { ACTION_RUNS_PAGE_MAX, listConnections, listRuns } from '@cordon/connectors';
import {
  type Estate,
  findIntegration,
  findApp,
  type Integration,
  listCutOffs,
  listGrants,
  listIntegrations,
  listRules,
} from '@cordon/estate';
import type { Identity } from '@cordon/identity';
import {
  ActionFailed,
  createCasePorts,
  type IntegrationView,
  NotAvailable,
  type PersonView,
  type Transport,
} from '@cordon/incidents';
import { type Actor, type Clock, type Database, PersonId } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import type { BackupPlaybookPort } from '../backup/playbook-port.ts';
import { createConnectorHttp } from './connector-http.ts';

const HOUR_MS = 3_600_000;
const HTTP_MS_MAX = 30_000;
const HTTP_BYTES_MAX = 1024 * 1024;
const PEOPLE_PAGE = 200;
const PEOPLE_PAGES_MAX = 500;
/** A connector's run that somebody else is at is asked for again. */
const BUSY_MS = 500;
const ACTOR: Actor = { kind: 'system', name: 'playbook' };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface PlaybookPortDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly lake: Lake;
  readonly estate: Estate;
  readonly identity: Identity;
  readonly connectorActions: ActionRunner;
  readonly backup: BackupPlaybookPort;
}

function view({ id, name, status, statusReason, assurance }: Integration): IntegrationView {
  return { id, name, status, statusReason, assurance };
}

/** By id, e-mail address or sign-in name; the directory has no look-up by address, so its pages are walked. */
async function findPerson(identity: Identity, ref: string): Promise<PersonView | null> {
  const wanted = ref.toLowerCase();
  let after: PersonId | undefined;
  for (let page = 0; page < PEOPLE_PAGES_MAX; page++) {
    const people = await identity.people.list(ACTOR, { after, limit: PEOPLE_PAGE });
    const found = people.find(({ id, email, login }) =>
      [id.toLowerCase(), email.toLowerCase(), login.toLowerCase()].includes(wanted),
    );
    if (found) {
      const sessions = await identity.sessions.list(ACTOR, found.id);
      const { passkeys, hasPassword, hasTotp } = await factorsOf(identity, found.id);
      const factors = passkeys + Number(hasPassword) + Number(hasTotp);
      return {
        id: found.id,
        name: found.name,
        email: found.email,
        status: found.status,
        sessions: sessions.length,
        factors,
      };
    }
    if (people.length < PEOPLE_PAGE) return null;
    after = people.at(-1)?.id;
  }
  return null;
}

async function factorsOf(identity: Identity, id: PersonId) {
  const { passkeys, password, totp } = await identity.enrolment.factors(id);
  return { passkeys: passkeys.length, hasPassword: password, hasTotp: totp };
}

async function connectionOf(db: Database, app: string) {
  const found = (await listConnections(db)).find((one) => one.app === app || one.name === app || one.id === app);
  if (!found) throw new NotAvailable(`Not available: no connector is connected to ${app}.`, { app });
  return found;
}

/** What playbooks look with and act with, on this very Cordon. */
export function createPlaybookTransport(deps: PlaybookPortDeps): Transport {
  const own = createCasePorts(deps);
  const http = createConnectorHttp([]);
  return { reads: { ...own.reads, ...createReads(deps) }, acts: { ...own.acts, ...createActs(deps, http) } };
}

function createReads({ db, clock, lake, identity, backup }: PlaybookPortDeps) {
  const names = (list: readonly { readonly value: string }[] | undefined): string[] =>
    (list ?? []).map(({ value }) => value);
  return {
    async integration(ref: string) {
      const byId = UUID.test(ref) ? await findIntegration(db, { id: ref }) : null;
      const found = byId ?? (await findIntegration(db, { name: ref }));
      return found && view(found);
    },
    async integrationsOf(app: string) {
      const found = await findApp(db, UUID.test(app) ? { id: app } : { name: app });
      if (!found) throw new ActionFailed(`There is no app ${app}.`);
      const grants = await listGrants(db, { appId: found.id });
      const holders = new Set<string>(grants.map(({ integrationId }) => integrationId));
      return (await listIntegrations(db)).filter(({ id }) => holders.has(id)).map(view);
    },
    async reach(integrationId: string) {
      const [newest] = await listCutOffs(db, integrationId);
      return newest ? { reachedAt: newest.reachedAt, decidedAt: newest.decidedAt, gateways: newest.gateways } : null;
    },
    person: (ref: string) => findPerson(identity, ref),
    async rule(kind: 'policy' | 'limit', name: string) {
      const found = (await listRules(db, kind)).find((one) => one.name === name);
      return found ? { id: found.id } : null;
    },
    async search(query: string, hours: number) {
      const scope = { query, from: clock.now() - hours * HOUR_MS };
      const [count, facets] = await Promise.all([
        lake.count(scope),
        lake.facets({ ...scope, fields: ['actor', 'app', 'integration', 'src_ip'], limit: 100 }),
      ]);
      return {
        count,
        people: names(facets['actor']),
        apps: names(facets['app']),
        integrations: names(facets['integration']),
        addresses: names(facets['src_ip']),
        newest: null,
      };
    },
    // By the connector's own journal. What isn't over there is asked for again with the same key: it looks before it acts.
    async connectorAct(app: string, action: string, key: string) {
      const { id } = await connectionOf(db, app);
      const runs = await listRuns(db, { connectionId: id, limit: ACTION_RUNS_PAGE_MAX });
      const found = runs.find((run) => run.action === action && run.idempotencyKey === key);
      return found?.status === 'ended' ? ('done' as const) : ('absent' as const);
    },
    backupAct: (key: string) => backup.find(key),
  };
}

function createActs(
  { db, estate, identity, connectorActions, backup }: PlaybookPortDeps,
  http: ReturnType<typeof createConnectorHttp>,
) {
  const ruleNamed = async (kind: 'policy' | 'limit', name: string) =>
    (await listRules(db, kind)).find((one) => one.name === name);
  const connectorRun = async (app: string, request: Omit<RunActionInput, 'connectionId'>) => {
    const connection = await connectionOf(db, app);
    for (;;) {
      const run = await connectorActions.run(ACTOR, { ...request, connectionId: connection.id });
      if (run.status === 'failed') throw new ActionFailed(run.error ?? `${request.action} failed in ${app}.`);
      if (run.status === 'ended') return run;
      await setTimeout(BUSY_MS);
    }
  };
  return {
    async endIntegration(id: string, status: 'revoked' | 'suspended', reason: string) {
      await estate.integrations[status === 'revoked' ? 'revoke' : 'suspend'](ACTOR, id, reason);
    },
    async restoreIntegration(id: string, reason: string) {
      await estate.integrations.restore(ACTOR, id, reason);
    },
    async setAssurance(id: string, assurance: 'm0' | 'm1' | 'm2') {
      await estate.integrations.update(ACTOR, id, { assurance });
    },
    async putPolicy(name: string, text: string, description: string) {
      await estate.rules.put(ACTOR, 'policy', { name, text, description });
    },
    async putLimit(name: string, integrationId: string, count: number, periodMs: number) {
      const rate = { count, periodMs, burst: count };
      await estate.rules.put(ACTOR, 'limit', { name, scope: { integrationId }, countBy: ['integration'], rate });
    },
    async removeRule(kind: 'policy' | 'limit', name: string) {
      const found = await ruleNamed(kind, name);
      if (found) await estate.rules.remove(ACTOR, kind, found.id);
    },
    endSessions: (id: string) => identity.sessions.endAll(ACTOR, PersonId.parse(id)),
    resetFactors: (id: string) => identity.people.resetFactors(ACTOR, PersonId.parse(id)),
    async disablePerson(id: string, reason: string) {
      await identity.people.disable(ACTOR, PersonId.parse(id), reason);
    },
    enablePerson: (id: string) => identity.people.enable(ACTOR, PersonId.parse(id)),
    async http(request: {
      method: string;
      url: string;
      headers: Readonly<Record<string, string>>;
      body: string;
      key: string;
    }) {
      const answer = await http.send({
        method: request.method,
        url: request.url,
        headers: { ...request.headers, 'idempotency-key': request.key },
        body: request.body === '' ? undefined : request.body,
        timeoutMs: HTTP_MS_MAX,
        bytesMax: HTTP_BYTES_MAX,
      });
      return { status: answer.status, body: answer.body.toString('utf8') };
    },
    connector: {
      async act(app: string, action: string, input: Readonly<Record<string, string>>, key: string) {
        const { id, outcome } = await connectorRun(app, { action, input, mode: 'run', idempotencyKey: key });
        if (outcome === 'not_done') throw new Error(`${app} took ${action}, and nothing has changed (run ${id}).`);
        return { run: id, outcome };
      },
      async undo(
        app: string,
        action: string,
        input: Readonly<Record<string, string>>,
        { key, undoes }: { readonly key: string; readonly undoes: string },
      ) {
        // The same key gives the run of then: nothing is done again.
        const before = await connectorRun(app, { action, input, mode: 'run', idempotencyKey: undoes });
        await connectorRun(app, { action, input, mode: 'undo', idempotencyKey: key, undoOf: before.id });
      },
    },
    backup: (act: 'snapshot' | 'restore', input: Readonly<Record<string, string>>, key: string) =>
      backup.run(act, input, key),
  };
}
