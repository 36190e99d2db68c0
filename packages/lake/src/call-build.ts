import {
  buildActor,
  buildDecision,
  buildEndpoint,
  buildMetadata,
  type Decision,
  type EndpointFacts,
  type EventOrigin,
  type FindingFacts,
  type Named,
  type PersonFacts,
} from './event-build.ts';
import { ACTIVITY, type ApiActivityName, apiActivityOf, CATEGORY, CLASS, httpActivityOf, typeUid } from './ocsf.ts';
import type { ApiActivityEvent, HttpActivityEvent } from './ocsf-events.ts';

export interface CallRequestFacts {
  readonly method: string;
  readonly hostname?: string;
  readonly scheme?: string;
  readonly port?: number;
  /** Path without query. Queries carry personal data: pass `query` only when it is known to be clean. */
  readonly path: string;
  readonly query?: string;
  readonly userAgent?: string;
  /** HTTP version as in `1.1`. */
  readonly version?: string;
  /** The request id that the client and the upstream see. */
  readonly requestId?: string;
  /** Body bytes received from the integration. */
  readonly bytes: number;
}

export interface CallResponseFacts {
  /** The status that the integration got. */
  readonly status: number;
  /** Body bytes sent to the integration. */
  readonly bytes: number;
  readonly contentType?: string;
}

export interface CallFacts extends EventOrigin {
  /** Who called; absent when the call could not be identified. */
  readonly integration?: Named;
  /** The person it acts for, where the token says so. */
  readonly person?: PersonFacts;
  readonly app?: Named;
  readonly source: EndpointFacts;
  readonly destination?: EndpointFacts;
  readonly request: CallRequestFacts;
  /** Absent when the connection ended before a response. */
  readonly response?: CallResponseFacts;
  readonly decision: Decision;
  /** Stable code, such as `gateway.operation_not_granted`; needed for `deny` and `error`. */
  readonly reason?: string;
  /** The reason in words, as the caller was told. */
  readonly reasonText?: string;
  /** Policies that decided, in the order they were weighed. */
  readonly policies?: readonly { readonly id: string; readonly name?: string }[];
  /** First byte in to last byte out, milliseconds. */
  readonly durationMs: number;
  /** Of that, waiting for the upstream. */
  readonly upstreamMs?: number;
  readonly findings?: readonly FindingFacts[];
  readonly redactions?: number;
  /** What the client said to pass a rule that asks why. */
  readonly justification?: string;
  /** Records in the answer. */
  readonly records?: number;
  /** Of a connection through the forward proxy: how it was carried and what its handshake said. */
  readonly proxy?: {
    readonly way: 'tunnel' | 'opened' | 'plain';
    readonly known: boolean;
    readonly sni?: string;
    readonly alpn?: readonly string[];
  };
  readonly gatewayId: string;
  /** How the client proved itself and where the call came in: what policies could see, so that it can be decided again. */
  readonly assurance?: 'm0' | 'm1' | 'm2';
  readonly listener?: 'path' | 'host' | 'port' | 'mcp';
  readonly snapshotVersion: number;
  readonly resources?: readonly { readonly id?: string; readonly name?: string; readonly type?: string }[];
}

export interface ApiCallFacts extends CallFacts {
  /** The API description's operation id; `unknown` where none matched. */
  readonly operation: string;
  readonly pathTemplate?: string;
  /** Default follows from the method. */
  readonly activity?: ApiActivityName;
  readonly apiVersion?: string;
}

function buildRequest(request: CallRequestFacts) {
  return {
    http_method: request.method.toUpperCase(),
    url: {
      path: request.path,
      ...(request.hostname !== undefined && { hostname: request.hostname }),
      ...(request.scheme !== undefined && { scheme: request.scheme }),
      ...(request.port !== undefined && { port: request.port }),
      ...(request.query !== undefined && { query_string: request.query }),
    },
    body_length: request.bytes,
    ...(request.userAgent !== undefined && { user_agent: request.userAgent }),
    ...(request.version !== undefined && { version: request.version }),
    ...(request.requestId !== undefined && { uid: request.requestId }),
  };
}

function buildResponse(response: CallResponseFacts, durationMs: number) {
  return {
    code: response.status,
    body_length: response.bytes,
    // OCSF's latency is a whole number of milliseconds; `duration` keeps the fraction.
    latency: Math.round(durationMs),
    ...(response.contentType !== undefined && { content_type: response.contentType }),
  };
}

function buildFacts(call: CallFacts, pathTemplate: string | undefined) {
  return {
    decision: call.decision,
    gateway_id: call.gatewayId,
    snapshot_version: call.snapshotVersion,
    ...(call.reason !== undefined && { reason: call.reason }),
    ...(call.assurance !== undefined && { assurance: call.assurance }),
    ...(call.listener !== undefined && { listener: call.listener }),
    ...(call.redactions !== undefined && call.redactions > 0 && { redactions: call.redactions }),
    ...(call.justification !== undefined && { justification: call.justification }),
    ...(call.records !== undefined && call.records > 0 && { records: call.records }),
    ...(call.findings && call.findings.length > 0 && { findings: call.findings.map((found) => ({ ...found })) }),
    ...(call.proxy && { proxy: { ...call.proxy } }),
    ...(call.upstreamMs !== undefined && { upstream_ms: call.upstreamMs }),
    ...(pathTemplate !== undefined && { path_template: pathTemplate }),
  };
}

function buildCall(call: CallFacts, pathTemplate?: string) {
  const policies = call.policies ?? [];
  const decider = policies.at(-1);
  const ruling = call.decision === 'deny' ? 'deny' : 'allow';
  return {
    time: call.time,
    metadata: buildMetadata(call, ['security_control']),
    ...buildDecision(call.decision, call.response?.status, call.severity),
    duration: call.durationMs,
    src_endpoint: buildEndpoint(call.source),
    http_request: buildRequest(call.request),
    ...(call.response && { http_response: buildResponse(call.response, call.durationMs) }),
    ...(call.message !== undefined && { message: call.message }),
    ...(call.reason !== undefined && { status_code: call.reason }),
    ...(call.reasonText !== undefined && { status_detail: call.reasonText }),
    ...(decider && {
      policy: { uid: decider.id, ...(decider.name !== undefined && { name: decider.name }) },
      authorizations: policies.map(({ id, name }) => ({
        decision: ruling,
        policy: { uid: id, ...(name !== undefined && { name }) },
      })),
    }),
    ...(call.resources && {
      resources: call.resources.map(({ id, name, type }) => ({
        ...(id !== undefined && { uid: id }),
        ...(name !== undefined && { name }),
        ...(type !== undefined && { type }),
      })),
    }),
    unmapped: { cordon: buildFacts(call, pathTemplate) },
  };
}

/** API Activity (6003): one call of an integration to an operation of a SaaS tool. */
export function apiActivity(call: ApiCallFacts): ApiActivityEvent {
  const activityId = ACTIVITY.apiActivity[call.activity ?? apiActivityOf(call.request.method)];
  return {
    class_uid: CLASS.apiActivity,
    category_uid: CATEGORY.application,
    activity_id: activityId,
    type_uid: typeUid(CLASS.apiActivity, activityId),
    ...buildCall(call, call.pathTemplate),
    actor: buildActor(call.integration, call.person),
    api: {
      operation: call.operation,
      ...(call.app && { service: { uid: call.app.id, name: call.app.name } }),
      ...(call.apiVersion !== undefined && { version: call.apiVersion }),
    },
    ...((call.destination || call.app) && {
      dst_endpoint: {
        ...buildEndpoint(call.destination ?? {}),
        ...(call.app && { svc_name: call.app.name }),
      },
    }),
  };
}

/** HTTP Activity (4002): traffic that is not a call of a known API, such as a tunnel or a webhook's delivery. */
export function httpActivity(call: CallFacts): HttpActivityEvent {
  const activityId = httpActivityOf(call.request.method);
  return {
    class_uid: CLASS.httpActivity,
    category_uid: CATEGORY.network,
    activity_id: activityId,
    type_uid: typeUid(CLASS.httpActivity, activityId),
    ...buildCall(call),
    actor: buildActor(call.integration, call.person),
    // OCSF counts from the source's side: `bytes_out` is what the source sent.
    traffic: { bytes_out: call.request.bytes, bytes_in: call.response?.bytes ?? 0 },
    ...((call.destination || call.app) && {
      dst_endpoint: {
        ...buildEndpoint(call.destination ?? {}),
        ...(call.app && { uid: call.app.id, svc_name: call.app.name }),
      },
    }),
    ...(call.app && { app_name: call.app.name }),
  };
}
