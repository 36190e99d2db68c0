import { z } from 'zod';

/**
 * OCSF objects as Cordon writes and reads them. Loose on purpose: what another producer adds is kept, never dropped.
 * Object definitions: https://schema.ocsf.io/1.8.0/objects
 */

const text = z.string();
const count = z.int().nonnegative();
const port = z.int().min(0).max(65_535);

export const named = z.looseObject({ uid: text.optional(), name: text.optional(), version: text.optional() });

export const user = z.looseObject({
  uid: text.optional(),
  name: text.optional(),
  full_name: text.optional(),
  email_addr: text.optional(),
  domain: text.optional(),
  type_id: z.int().optional(),
  groups: z.array(named).optional(),
});

export const session = z.looseObject({ uid: text.optional(), is_mfa: z.boolean().optional(), issuer: text.optional() });

export const policy = z.looseObject({ uid: text.optional(), name: text.optional(), version: text.optional() });

export const authorization = z.looseObject({ decision: text.optional(), policy: policy.optional() });

export const actor = z.looseObject({
  user: user.optional(),
  session: session.optional(),
  app_name: text.optional(),
  app_uid: text.optional(),
  authorizations: z.array(authorization).optional(),
});

export const endpoint = z.looseObject({
  ip: text.optional(),
  port: port.optional(),
  hostname: text.optional(),
  uid: text.optional(),
  name: text.optional(),
  svc_name: text.optional(),
});

export const url = z.looseObject({
  hostname: text.optional(),
  path: text.optional(),
  scheme: text.optional(),
  port: port.optional(),
  query_string: text.optional(),
  url_string: text.optional(),
});

export const httpRequest = z.looseObject({
  uid: text.optional(),
  http_method: text.optional(),
  url: url.optional(),
  user_agent: text.optional(),
  version: text.optional(),
  body_length: count.optional(),
});

export const httpResponse = z.looseObject({
  code: z.int(),
  body_length: count.optional(),
  content_type: text.optional(),
  latency: count.optional(),
});

export const api = z.looseObject({
  operation: text,
  service: named.optional(),
  version: text.optional(),
  request: z.looseObject({ uid: text.optional() }).optional(),
  response: z.looseObject({ code: z.int().optional(), error: text.optional() }).optional(),
});

export const resource = z.looseObject({ uid: text.optional(), name: text.optional(), type: text.optional() });

export const traffic = z.looseObject({ bytes_in: count.optional(), bytes_out: count.optional() });

export const managedEntity = z.looseObject({
  uid: text.optional(),
  name: text.optional(),
  type: text.optional(),
  type_id: z.int().optional(),
  data: z.unknown().optional(),
});

export const attack = z.looseObject({
  tactic: named.optional(),
  technique: named.optional(),
  sub_technique: named.optional(),
  version: text.optional(),
});

export const findingInfo = z.looseObject({
  uid: text,
  title: text.optional(),
  desc: text.optional(),
  analytic: z.looseObject({ uid: text.optional(), name: text.optional(), type_id: z.int() }).optional(),
  attacks: z.array(attack).optional(),
  related_events: z.array(z.looseObject({ uid: text.optional() })).optional(),
  created_time: z.int().optional(),
});

export const metadata = z.looseObject({
  /** The event's id in the lake: unique, and what makes a retry harmless. */
  uid: text.min(1).max(200),
  version: text,
  product: z.looseObject({ name: text.optional(), vendor_name: text.optional(), version: text.optional() }),
  log_name: text.optional(),
  labels: z.array(text).optional(),
  profiles: z.array(text).optional(),
  correlation_uid: text.optional(),
});

/** What Cordon knows of a call and OCSF has no attribute for; lives at `unmapped.cordon`. */
export const cordonFacts = z.looseObject({
  /** What the perimeter did: let pass, passed with parts removed, refused, or could not carry out. */
  decision: z.enum(['allow', 'redact', 'deny', 'error']).optional(),
  /** Stable code of the refusal or failure, such as `gateway.operation_not_granted`. */
  reason: text.optional(),
  gateway_id: text.optional(),
  /** How the client proved itself, and where the call came in. */
  assurance: z.enum(['m0', 'm1', 'm2']).optional(),
  listener: z.enum(['path', 'host', 'port', 'mcp']).optional(),
  snapshot_version: count.optional(),
  /** Values removed from bodies, both directions together. */
  redactions: count.optional(),
  /** What the client said to pass a rule that asks why. */
  justification: text.optional(),
  /** Sensitive data seen: how often each class, in which direction, and what was done. */
  findings: z
    .array(
      z.looseObject({
        class: text,
        direction: z.enum(['request', 'response']),
        count,
        action: z.enum(['allow', 'log', 'notify', 'redact', 'tokenise', 'justify', 'quarantine', 'block']),
        /** Of an attack: the field, and what it looked like, masked. */
        place: text.optional(),
        /** Id of the inspection rule that told, asked or stopped. */
        rule: text.optional(),
        evidence: text.optional(),
      }),
    )
    .optional(),
  /** Records in the answer: items of its list, or 1. */
  records: count.optional(),
  /** Milliseconds spent waiting for the upstream; `duration` minus this is the gateway's own work. */
  upstream_ms: z.number().nonnegative().optional(),
  /** The path template that the operation matched, such as `/repos/{owner}/{repo}`. */
  path_template: text.optional(),
});
