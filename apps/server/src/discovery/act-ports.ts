import { type ActionRunner, listConnections, loadConnection, type Manifests } from '@cordon/connectors';
import {
  type Act,
  type ActOutcome,
  type ActPorts,
  type ActSubject,
  appOfGrant,
  type Catalogue,
  readKeySubject,
  type RotationSteps,
} from '@cordon/discovery';
import { actionFor, type EntityFact, listGateways } from '@cordon/estate';
import type { Actor, Clock, Database } from '@cordon/kernel';
import { z } from 'zod';
import { readToolActions } from '../roles/graph-parts.ts';
import { clientOf, entitiesOf, readKeys, REMOVE_KINDS, ROTATE_KINDS } from './tool-reads.ts';

const ACTOR: Actor = { kind: 'system', name: 'discovery' };
const actInput = z.object({ connectionId: z.string(), action: z.string(), values: z.record(z.string(), z.string()) });

export interface ActPortDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly steps: RotationSteps;
  readonly manifests: Manifests;
  readonly actions: ActionRunner;
}

/** Runs one action of a connector and says what came of it. Throws when it isn't known. */
export async function runToolAction(
  { db, actions }: Pick<ActPortDeps, 'db' | 'actions'>,
  input: unknown,
  idempotencyKey: string,
): Promise<ActOutcome & { readonly state: 'done' | 'nothing' | 'task' }> {
  const { connectionId, action, values } = actInput.parse(input);
  const connection = await loadConnection(db, connectionId);
  const run = await actions.run(ACTOR, { connectionId, action, input: values, mode: 'run', idempotencyKey });
  if (run.status !== 'ended') throw new Error(run.error ?? `${connection.name} did not answer.`);
  if (run.outcome === 'unclear') {
    return { state: 'task', detail: `${connection.name} didn't say whether it worked: look there, then say so here.` };
  }
  const said = `${run.summary ?? run.outcome ?? 'done'} (${connection.name}, action ${run.id})`;
  if (run.outcome === 'not_done') throw new Error(`${connection.name} took it, and nothing has changed: ${said}`);
  if (run.outcome === 'already') return { state: 'nothing', detail: `It was so already: ${said}` };
  return { state: 'done', detail: run.outcome === 'unverified' ? `${said}; the tool has no way to verify it` : said };
}

/** The action that takes a grant away, or the task where the connector has none. */
function grantAct(given: {
  readonly connectionId: string;
  readonly id: string;
  readonly entity: EntityFact;
  readonly actions: Awaited<ReturnType<typeof readToolActions>>;
  readonly client: string;
  readonly name: string;
  readonly title: string;
}): Act {
  const { connectionId, id, entity, actions, client, name, title } = given;
  const found = actionFor(entity, actions.get(connectionId) ?? []);
  const base = { key: `${connectionId}/${id}`, kind: 'grant', name: `${client} in ${name}` };
  if (found) {
    const input = { connectionId, action: found.action.name, values: found.input };
    return { ...base, act: found.action.title, input };
  }
  const task = `The connector of ${title} has no action that takes ${id} away: uninstall ${client} in ${title} itself, then say so here.`;
  return { ...base, act: 'Take its grant away', input: {}, task };
}

/** Every grant of an app in every connected tool, each with the action that takes it away. */
async function planApp(deps: ActPortDeps, subject: ActSubject): Promise<Act[]> {
  const { db, manifests, catalogue } = deps;
  const actions = await readToolActions(db, manifests);
  const acts: Act[] = [];
  const domains = catalogue.find(subject.id)?.domains ?? [];
  if (domains.length > 0) {
    acts.push({
      key: 'proxy',
      kind: 'proxy',
      name: domains.join(', '),
      act: 'Refuse at the forward proxy',
      input: {},
    });
  }
  for (const { id: connectionId, app, name } of await listConnections(db)) {
    const title = manifests.find(app)?.manifest.title ?? app;
    for await (const { id, entity } of entitiesOf(db, connectionId, 'grant')) {
      if (entity.type !== 'grant' || appOfGrant(catalogue, entity)?.key !== subject.id) continue;
      acts.push(grantAct({ connectionId, id, entity, actions, client: subject.name, name, title }));
    }
  }
  return acts;
}

/** Every grant of an OAuth client in every connected tool, each with the action that takes it away. */
async function planClient({ db, manifests }: ActPortDeps, subject: ActSubject): Promise<Act[]> {
  const actions = await readToolActions(db, manifests);
  const ids = new Set([subject.id]);
  const acts: Act[] = [];
  for (const { id: connectionId, app, name } of await listConnections(db)) {
    const title = manifests.find(app)?.manifest.title ?? app;
    for await (const { id, entity } of entitiesOf(db, connectionId, 'grant')) {
      if (entity.type !== 'grant' || clientOf(entity, ids) === null) continue;
      const client = entity.client?.name ?? entity.subject.name ?? subject.id;
      acts.push(grantAct({ connectionId, id, entity, actions, client, name, title }));
    }
  }
  return acts;
}

async function planKey(deps: ActPortDeps, subject: ActSubject): Promise<Act[]> {
  const { db, manifests, steps } = deps;
  const { mode, ref } = readKeySubject(subject.id);
  const key = (await readKeys(db, manifests)).find((one) => one.ref === ref);
  if (!key) return [];
  const actions = (await readToolActions(db, manifests)).get(key.connectionId) ?? [];
  const base = { key: `${mode}/${ref}`, kind: 'key', name: subject.name };
  for await (const { id, entity } of entitiesOf(db, key.connectionId, 'credential')) {
    if (id !== key.externalId) continue;
    const found = actionFor(entity as EntityFact, actions, mode === 'rotate' ? ROTATE_KINDS : REMOVE_KINDS); // a credential
    if (!found) break;
    const input = { connectionId: key.connectionId, action: found.action.name, values: found.input };
    return [{ ...base, act: found.action.title, input }];
  }
  return [{ ...base, act: 'Replace it by hand', input: {}, task: steps.of(key) }];
}

const PLANS = { app: planApp, key: planKey, client: planClient };

/** What follows from a decision about an app, or from a key that is too old. */
export function createActPorts(deps: ActPortDeps): ActPorts {
  return {
    plan: (subject) => PLANS[subject.type](deps, subject),
    async carryOut(subject, act, idempotencyKey): Promise<ActOutcome> {
      if (act.kind !== 'proxy') return runToolAction(deps, act.input, idempotencyKey);
      // Published with the decision; here is the proof that gateways have it.
      const gateways = await listGateways(deps.db, deps.clock.now());
      const live = gateways.filter((gateway) => gateway.live);
      return {
        state: 'done',
        detail: `${subject.name} is refused from the decision on; ${live.length} gateway processes live, which follow within a second.`,
      };
    },
  };
}
