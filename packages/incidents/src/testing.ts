import type { ActPorts, IntegrationView, PersonView, ReadPorts } from './actions/ports.ts';
import type { Transport } from './actions/transport.ts';

/** An outside of its own, in memory: what acts change, reads see. Counts every act by its key. */
export function createFakeOutside(given: { integrations?: IntegrationView[]; people?: PersonView[] } = {}) {
  const integrations = new Map((given.integrations ?? []).map((one) => [one.id, one]));
  const people = new Map((given.people ?? []).map((one) => [one.id, one]));
  const rules = new Set<string>();
  const keys = new Set<string>();
  const log: { act: string; detail: string }[] = [];
  const note = (act: string, detail: string): void => void log.push({ act, detail });
  const change = (id: string, set: Partial<IntegrationView>): void => {
    const one = integrations.get(id);
    if (one) integrations.set(id, { ...one, ...set });
  };
  const person = (id: string, set: Partial<PersonView>): void => {
    const one = people.get(id);
    if (one) people.set(id, { ...one, ...set });
  };
  const reads: ReadPorts = {
    integration: async (ref) => [...integrations.values()].find(({ id, name }) => id === ref || name === ref) ?? null,
    integrationsOf: async () => [...integrations.values()],
    reach: async () => ({ reachedAt: 1, decidedAt: 0, gateways: [{ id: 'gw/1', delayMs: 40 }] }),
    person: async (ref) => [...people.values()].find(({ id, email }) => id === ref || email === ref) ?? null,
    rule: async (kind, name) => (rules.has(`${kind} ${name}`) ? { id: name } : null),
    search: async () => ({
      count: 3,
      people: ['eve@example.com'],
      apps: ['crm'],
      integrations: ['sync'],
      addresses: ['198.51.100.7'],
      newest: 1,
    }),
    message: async (key) => (keys.has(key) ? { status: 'waiting' } : null),
    caseEntry: async (_caseId, key) => keys.has(key),
    connectorAct: async (_app, _action, key) => (keys.has(key) ? 'done' : 'absent'),
    backupAct: async (key) => (keys.has(key) ? 'done' : 'absent'),
  };
  const keyed = async (act: string, key: string): Promise<void> => {
    keys.add(key);
    note(act, key);
  };
  const acts: ActPorts = {
    endIntegration: async (id, status, statusReason) => {
      change(id, { status, statusReason });
      note(status, id);
    },
    restoreIntegration: async (id, statusReason) => {
      change(id, { status: 'active', statusReason });
      note('restored', id);
    },
    setAssurance: async (id, assurance) => {
      change(id, { assurance });
      note(`assurance ${assurance}`, id);
    },
    putPolicy: async (name) => {
      rules.add(`policy ${name}`);
      note('policy', name);
    },
    putLimit: async (name) => {
      rules.add(`limit ${name}`);
      note('limit', name);
    },
    removeRule: async (kind, name) => {
      rules.delete(`${kind} ${name}`);
      note(`remove ${kind}`, name);
    },
    endSessions: async (id) => {
      person(id, { sessions: 0 });
      note('sessions', id);
      return 1;
    },
    resetFactors: async (id) => {
      person(id, { factors: 0 });
      note('factors', id);
    },
    disablePerson: async (id) => {
      person(id, { status: 'disabled', sessions: 0 });
      note('disabled', id);
    },
    enablePerson: async (id) => {
      person(id, { status: 'active' });
      note('enabled', id);
    },
    sendMessage: (message) => keyed('message', message.key),
    caseNote: (_caseId, key) => keyed('note', key),
    caseTask: (_caseId, key) => keyed('task', key),
    caseMark: (_caseId, key, mark) => keyed(`mark ${mark}`, key),
    http: async (request) => {
      await keyed(`http ${request.method}`, request.key);
      return { status: 200, body: '{}' };
    },
    connector: {
      act: async (app, action, _input, key) => {
        await keyed(`connector ${app} ${action}`, key);
        return {};
      },
      undo: (app, action, _input, { key, undoes }) => keyed(`connector undo ${app} ${action} ${undoes}`, key),
    },
    backup: async (act, _input, key) => {
      await keyed(`backup ${act}`, key);
      return {};
    },
  };
  const transport: Transport = { reads, acts };
  return { transport, log, integrations, people, rules };
}

export type FakeOutside = ReturnType<typeof createFakeOutside>;
