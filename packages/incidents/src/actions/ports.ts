import type { HttpRequest } from '../cacao/http-command.ts';

/** What the composition root gives playbooks: to look with (`ReadPorts`) and to act with (`ActPorts`). */
export interface IntegrationView {
  readonly id: string;
  readonly name: string;
  readonly status: 'active' | 'suspended' | 'revoked';
  readonly statusReason: string | null;
  readonly assurance: 'm0' | 'm1' | 'm2';
}
export interface PersonView {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly status: string;
  readonly sessions: number;
  readonly factors: number;
}
export interface Reach {
  readonly reachedAt: number | null;
  readonly decidedAt: number;
  readonly gateways: readonly { readonly id: string; readonly delayMs: number }[];
}
export interface SearchSummary {
  readonly count: number;
  readonly people: readonly string[];
  readonly apps: readonly string[];
  readonly integrations: readonly string[];
  readonly addresses: readonly string[];
  readonly newest: number | null;
}
export interface MessageInput {
  readonly key: string;
  readonly caseId: string | null;
  readonly channel: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

export interface ReadPorts {
  /** By id or name. */
  integration(ref: string): Promise<IntegrationView | null>;
  /** Integrations that hold a grant on an app, by the app's name. */
  integrationsOf(app: string): Promise<readonly IntegrationView[]>;
  /** How far the newest cut-off of an integration has come. */
  reach(integrationId: string): Promise<Reach | null>;
  /** By id or e-mail address. */
  person(ref: string): Promise<PersonView | null>;
  rule(kind: 'policy' | 'limit', name: string): Promise<{ readonly id: string } | null>;
  /** Search language of the lake, over the last hours. */
  search(query: string, hours: number): Promise<SearchSummary>;
  message(key: string): Promise<{ readonly status: string } | null>;
  caseEntry(caseId: string, key: string): Promise<boolean>;
  /** What a connector knows of an act with this key; null when the connector can't tell. */
  connectorAct(app: string, action: string, key: string): Promise<'done' | 'absent' | null>;
  backupAct(key: string): Promise<'done' | 'absent' | null>;
}

/** A connector's acts; `packages/connectors` gives the real one. Until then the answer is `NotAvailable`. */
export interface ActionPort {
  act(
    app: string,
    action: string,
    input: Readonly<Record<string, string>>,
    key: string,
  ): Promise<Readonly<Record<string, unknown>>>;
  /** Takes back what was done under the key `undoes`. */
  undo(
    app: string,
    action: string,
    input: Readonly<Record<string, string>>,
    keys: { readonly key: string; readonly undoes: string },
  ): Promise<void>;
}

export interface ActPorts {
  endIntegration(id: string, status: 'revoked' | 'suspended', reason: string): Promise<void>;
  restoreIntegration(id: string, reason: string): Promise<void>;
  setAssurance(id: string, assurance: 'm0' | 'm1' | 'm2', reason: string): Promise<void>;
  putPolicy(name: string, text: string, description: string): Promise<void>;
  putLimit(name: string, integrationId: string, count: number, periodMs: number): Promise<void>;
  removeRule(kind: 'policy' | 'limit', name: string): Promise<void>;
  /** Returns how many ended. */
  endSessions(personId: string, reason: string): Promise<number>;
  resetFactors(personId: string, reason: string): Promise<void>;
  disablePerson(personId: string, reason: string): Promise<void>;
  enablePerson(personId: string, reason: string): Promise<void>;
  /** Puts it into the outbox; the same key once. */
  sendMessage(message: MessageInput): Promise<void>;
  caseNote(caseId: string, key: string, text: string): Promise<void>;
  caseTask(caseId: string, key: string, task: { title: string; dueHours: number | null }): Promise<void>;
  /** Marks the case's clock: contained, recovered, notified. The first time counts. */
  caseMark(caseId: string, key: string, mark: 'contained' | 'recovered' | 'notified'): Promise<void>;
  http(request: HttpRequest & { readonly key: string }, signal: AbortSignal): Promise<{ status: number; body: string }>;
  readonly connector: ActionPort;
  backup(
    act: 'snapshot' | 'restore',
    input: Readonly<Record<string, string>>,
    key: string,
  ): Promise<Readonly<Record<string, unknown>>>;
}
