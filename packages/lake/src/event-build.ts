import {
  ACTION,
  type AuthProtocolName,
  DISPOSITION,
  OCSF_VERSION,
  SEVERITY,
  type SeverityName,
  STATUS,
  type StatusName,
  USER_TYPE,
  type UserTypeName,
} from './ocsf.ts';

/** Shapes that all builders take. Builders check nothing at run time: they run on the traffic path. */

/** An object of the estate: its id and the name that people know it by. */
export interface Named {
  readonly id: string;
  readonly name: string;
}

export interface EventOrigin {
  /** Unique; a UUIDv7 from the kernel's `EventId`. */
  readonly id: string;
  /** When it happened, milliseconds since the epoch. */
  readonly time: number;
  /** Which part of Cordon reports: `gateway`, `control`, `worker`. Becomes `metadata.log_name` as `cordon.<role>`. */
  readonly role: string;
  readonly message?: string;
  /** Default follows from the outcome. */
  readonly severity?: SeverityName;
  /** Ties events of one request or one playbook run together. */
  readonly correlationId?: string;
  readonly labels?: readonly string[];
}

export interface PersonFacts {
  readonly id?: string;
  readonly name?: string;
  readonly email?: string;
  readonly type?: UserTypeName;
}

export interface EndpointFacts {
  readonly ip?: string;
  readonly port?: number;
  readonly hostname?: string;
}

/** `allow`: passed as it was. `redact`: passed with parts removed. `deny`: refused. `error`: could not be carried out. */
export type Decision = 'allow' | 'redact' | 'deny' | 'error';

export interface FindingFacts {
  /** Data class, such as `payment-card`. Never the value found. */
  readonly class: string;
  readonly direction: 'request' | 'response';
  readonly count: number;
  readonly action: 'allow' | 'log' | 'notify' | 'redact' | 'tokenise' | 'justify' | 'quarantine' | 'block';
  /** Id of the inspection rule that told, asked or stopped. */
  readonly rule?: string;
  /** Of an attack: the field it was in, as `body/items/0/name`. */
  readonly place?: string;
  /** Of an attack: what it looked like, masked. Never the value. */
  readonly evidence?: string;
}

export type { AuthProtocolName, SeverityName, StatusName };

export function buildMetadata(origin: EventOrigin, profiles?: string[]) {
  return {
    uid: origin.id,
    version: OCSF_VERSION,
    product: { name: 'Cordon', vendor_name: 'Cordon' },
    log_name: `cordon.${origin.role}`,
    ...(profiles && { profiles }),
    ...(origin.correlationId !== undefined && { correlation_uid: origin.correlationId }),
    ...(origin.labels && { labels: [...origin.labels] }),
  };
}

export function buildUser(person: PersonFacts) {
  return {
    ...(person.id !== undefined && { uid: person.id }),
    ...(person.name !== undefined && { name: person.name }),
    ...(person.email !== undefined && { email_addr: person.email }),
    ...(person.type !== undefined && { type_id: USER_TYPE[person.type] }),
  };
}

/** `integration` is the program that acts, `person` whom it acts for, or who acts without a program. */
export function buildActor(integration: Named | undefined, person: PersonFacts | undefined) {
  return {
    ...(integration && { app_uid: integration.id, app_name: integration.name }),
    ...(person && { user: buildUser(person) }),
  };
}

export function buildEndpoint(endpoint: EndpointFacts) {
  return {
    ...(endpoint.ip !== undefined && { ip: endpoint.ip }),
    ...(endpoint.port !== undefined && { port: endpoint.port }),
    ...(endpoint.hostname !== undefined && { hostname: endpoint.hostname }),
  };
}

const DECISIONS = {
  allow: { action: ACTION.allowed, disposition: DISPOSITION.allowed, severity: SEVERITY.informational },
  redact: { action: ACTION.modified, disposition: DISPOSITION.corrected, severity: SEVERITY.low },
  deny: { action: ACTION.denied, disposition: DISPOSITION.blocked, severity: SEVERITY.medium },
  error: { action: ACTION.allowed, disposition: DISPOSITION.error, severity: SEVERITY.low },
} as const;

/** What a decision becomes in OCSF; the HTTP status the caller got tells an allowed failure from a success. */
export function buildDecision(decision: Decision, httpStatus: number | undefined, severity?: SeverityName) {
  const row = DECISIONS[decision];
  const passed = decision === 'allow' || decision === 'redact';
  const failed = !passed || (httpStatus !== undefined && httpStatus >= 400);
  return {
    severity_id: severity ? SEVERITY[severity] : row.severity,
    status_id: failed ? STATUS.failure : STATUS.success,
    action_id: row.action,
    disposition_id: row.disposition,
  };
}
