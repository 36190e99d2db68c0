import { type DrillObject, listEffects, listObjects, putEffect } from '@cordon/drills';
import type { ActPorts, IntegrationView, PersonView, ReadPorts, Transport } from '@cordon/incidents';
import type { Clock, Database } from '@cordon/kernel';

type View = Partial<IntegrationView>;
interface Effects {
  get(key: string): unknown;
  put(key: string, value: unknown): Promise<void>;
}

/** Where the keys of a port's acts are told apart. */
const KEYS = {
  integration: (id: string) => `integration:${id}`,
  person: (id: string) => `person:${id}`,
  rule: (kind: string, name: string) => `rule:${kind}:${name}`,
  connector: (key: string) => `connector:${key}`,
  backup: (key: string) => `backup:${key}`,
  message: (key: string) => `message:${key}`,
} as const;

/**
 * The transport of a drill's playbook: acts reach only what the drill made. All others are written down as if they
 * were done, and the playbook sees them as done; nothing real is touched, whatever the step says.
 */
export async function createDrillTransport(
  deps: { readonly db: Database; readonly clock: Clock; readonly drillId: string },
  base: Transport,
): Promise<Transport> {
  const { db, clock, drillId } = deps;
  const objects = await listObjects(db, drillId);
  const known = await listEffects(db, drillId);
  const effects: Effects = {
    get: (key) => known.get(key),
    async put(key, value) {
      known.set(key, value);
      await putEffect(db, drillId, key, value, clock.now());
    },
  };
  const isOwn = (id: string): boolean => ownOf(objects, id);
  return { reads: drillReads(base.reads, effects, isOwn, clock), acts: drillActs(base, effects, isOwn) };
}

function ownOf(objects: readonly DrillObject[], id: string): boolean {
  return objects.some(({ kind, ref }) => kind === 'integration' && ref === id);
}

function drillReads(base: ReadPorts, effects: Effects, isOwn: (id: string) => boolean, clock: Clock): ReadPorts {
  const overlay = <Seen extends { readonly id: string }>(
    key: (id: string) => string,
    found: Seen | null,
  ): Seen | null => {
    const pretended = found && (effects.get(key(found.id)) as Partial<Seen> | undefined); // written by `drillActs`
    return found && pretended ? { ...found, ...pretended } : found;
  };
  return {
    ...base,
    integration: async (ref) => overlay(KEYS.integration, await base.integration(ref)),
    integrationsOf: async (app) => (await base.integrationsOf(app)).map((one) => overlay(KEYS.integration, one) ?? one),
    async reach(id) {
      if (isOwn(id) || effects.get(KEYS.integration(id)) === undefined) return base.reach(id);
      return { reachedAt: clock.now(), decidedAt: clock.now(), gateways: [] };
    },
    person: async (ref): Promise<PersonView | null> => overlay(KEYS.person, await base.person(ref)),
    async rule(kind, name) {
      const pretended = effects.get(KEYS.rule(kind, name));
      if (pretended === undefined) return base.rule(kind, name);
      return pretended === null ? null : { id: name };
    },
    async message(key) {
      return effects.get(KEYS.message(key)) === undefined ? base.message(key) : { status: 'held' };
    },
    connectorAct: async (_app, _action, key) => (effects.get(KEYS.connector(key)) === undefined ? 'absent' : 'done'),
    backupAct: async (key) => (effects.get(KEYS.backup(key)) === undefined ? 'absent' : 'done'),
  };
}

function drillActs({ acts, reads }: Transport, effects: Effects, isOwn: (id: string) => boolean): ActPorts {
  // Of several acts on one thing each leaves its mark.
  const add = (key: string, view: object) => effects.put(key, { ...(effects.get(key) as object | undefined), ...view }); // put here
  const onIntegration = (id: string, view: View) => add(KEYS.integration(id), view);
  const onPerson = (id: string, view: Partial<PersonView>) => add(KEYS.person(id), view);
  return {
    endIntegration: (id, status, reason) =>
      isOwn(id) ? acts.endIntegration(id, status, reason) : onIntegration(id, { status, statusReason: reason }),
    restoreIntegration: (id, reason) =>
      isOwn(id) ? acts.restoreIntegration(id, reason) : onIntegration(id, { status: 'active', statusReason: reason }),
    setAssurance: (id, assurance, reason) =>
      isOwn(id) ? acts.setAssurance(id, assurance, reason) : onIntegration(id, { assurance }),
    // A policy's text may reach anybody: it is never put for a drill.
    putPolicy: (name) => effects.put(KEYS.rule('policy', name), { simulated: true }),
    putLimit: (name) => effects.put(KEYS.rule('limit', name), { simulated: true }),
    removeRule: (kind, name) => effects.put(KEYS.rule(kind, name), null),
    async endSessions(id) {
      const found = await reads.person(id);
      await onPerson(id, { sessions: 0 });
      return found?.sessions ?? 0;
    },
    resetFactors: (id) => onPerson(id, { factors: 0 }),
    disablePerson: (id) => onPerson(id, { status: 'disabled', sessions: 0 }),
    enablePerson: (id) => onPerson(id, { status: 'active' }),
    // With a case the message waits in the outbox and is held back there; without one nothing tells whose it is.
    sendMessage: (message) =>
      message.caseId === null ? effects.put(KEYS.message(message.key), { held: true }) : acts.sendMessage(message),
    caseNote: (caseId, key, text) => acts.caseNote(caseId, key, text),
    caseTask: (caseId, key, task) => acts.caseTask(caseId, key, task),
    caseMark: (caseId, key, mark) => acts.caseMark(caseId, key, mark),
    async http({ key, method, url }) {
      await effects.put(`http:${key}`, { method, url });
      return { status: 200, body: '{}' };
    },
    connector: {
      async act(app, action, input, key) {
        await effects.put(KEYS.connector(key), { app, action, input: Object.keys(input) });
        return { run: 'simulated', outcome: 'simulated' };
      },
      undo: (app, action, _input, { key, undoes }) =>
        effects.put(KEYS.connector(key), { app, action, undoes, simulated: true }),
    },
    async backup(act, _input, key) {
      await effects.put(KEYS.backup(key), { act });
      return {};
    },
  };
}
