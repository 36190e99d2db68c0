import { CordonError, type ErrorRule } from '@cordon/kernel';

const refuse = (status: number, level: ErrorRule['level'] = 'debug'): ErrorRule => ({ status, expose: true, level });
const internal = (status: number): ErrorRule => ({ status, expose: false, level: 'error' });

/** Every code that the gateway answers with or throws, and how it is answered. */
export const gatewayErrors = {
  'gateway.request_malformed': refuse(400),
  'gateway.app_unknown': refuse(404),
  'gateway.proxy_authentication': refuse(407),
  'gateway.proxy_refused': refuse(403, 'info'),
  'gateway.upgrade_refused': refuse(400),
  'gateway.method_refused': refuse(405),
  'gateway.expectation_refused': refuse(417),
  'gateway.headers_too_large': refuse(431),
  'gateway.path_too_long': refuse(414),
  'gateway.path_ambiguous': refuse(400),
  'gateway.request_timeout': refuse(408),
  'gateway.token_missing': refuse(401),
  'gateway.token_ambiguous': refuse(400),
  'gateway.token_unknown': refuse(401),
  'gateway.token_invalid': refuse(401),
  'gateway.token_expired': refuse(401),
  'gateway.token_revoked': refuse(401),
  'gateway.token_audience': refuse(401),
  'gateway.token_leaked': refuse(400, 'info'),
  'gateway.integration_suspended': refuse(403, 'info'),
  'gateway.integration_expired': refuse(403, 'info'),
  'gateway.source_slowed': refuse(429, 'info'),
  'gateway.introspection_unavailable': refuse(503, 'warn'),
  'gateway.app_disabled': refuse(403),
  'gateway.operation_unknown': refuse(404),
  'gateway.operation_table_unavailable': refuse(503, 'warn'),
  'gateway.not_authorized': refuse(403),
  'gateway.assurance_insufficient': refuse(401),
  'gateway.nonce_required': refuse(401),
  'gateway.approval_required': refuse(401),
  'gateway.approval_mismatch': refuse(403, 'info'),
  'gateway.approval_used': refuse(401, 'info'),
  'gateway.approval_unavailable': refuse(503, 'warn'),
  'gateway.source_locked': refuse(429, 'info'),
  'gateway.proofs_exhausted': refuse(429, 'info'),
  'gateway.proof_unshared': refuse(503, 'warn'),
  'gateway.rate_limited': refuse(429),
  'gateway.concurrency_limited': refuse(429),
  'gateway.quota_exceeded': refuse(429),
  'gateway.body_too_large': refuse(413),
  'gateway.encoding_unsupported': refuse(415),
  'gateway.body_undecodable': refuse(400),
  'gateway.request_invalid': refuse(400),
  'gateway.injection_refused': refuse(400, 'info'),
  'gateway.request_blocked': refuse(403, 'info'),
  'gateway.response_blocked': refuse(403, 'info'),
  'gateway.justification_required': refuse(403, 'info'),
  'gateway.quarantined': refuse(403, 'info'),
  'gateway.credential_unavailable': refuse(503, 'warn'),
  'gateway.credential_renewed': refuse(503, 'info'),
  'gateway.vendor_limited': refuse(429, 'info'),
  'gateway.upstream_busy': refuse(503, 'info'),
  'gateway.upstream_suspended': refuse(503, 'info'),
  'gateway.upstream_forbidden': refuse(502, 'warn'),
  'gateway.upstream_unreachable': refuse(502, 'info'),
  'gateway.upstream_untrusted': refuse(502, 'warn'),
  'gateway.upstream_timeout': refuse(504, 'info'),
  'gateway.upstream_malformed': refuse(502, 'warn'),
  'gateway.response_too_large': refuse(502, 'info'),
  'gateway.response_undecodable': refuse(502, 'info'),
  'gateway.response_invalid': refuse(502, 'info'),
  'gateway.webhook_unknown': refuse(404),
  'gateway.webhook_signature_missing': refuse(401, 'info'),
  'gateway.webhook_signature_invalid': refuse(401, 'info'),
  'gateway.webhook_timestamp': refuse(401, 'info'),
  'gateway.webhook_invalid': refuse(400, 'info'),
  'gateway.webhook_unusable': refuse(503, 'warn'),
  'gateway.mcp_message_invalid': refuse(400),
  'gateway.mcp_session_missing': refuse(400),
  'gateway.mcp_session_unknown': refuse(404),
  'gateway.mcp_session_foreign': refuse(403, 'warn'),
  'gateway.mcp_version_unsupported': refuse(400),
  'gateway.mcp_origin_refused': refuse(403),
  'gateway.mcp_method_refused': refuse(403),
  'gateway.mcp_item_withheld': refuse(403, 'info'),
  'gateway.graphql_invalid': refuse(400),
  'gateway.graphql_too_large': refuse(400, 'info'),
  'gateway.graphql_method_refused': refuse(405),
  'gateway.graphql_introspection_refused': refuse(403),
  'gateway.snapshot_missing': refuse(503, 'warn'),
  'gateway.snapshot_stale': refuse(503, 'warn'),
  'gateway.overloaded': refuse(503, 'warn'),
  'gateway.spool_full': refuse(503, 'warn'),
  'gateway.draining': refuse(503),
  'gateway.client_gone': refuse(499),
  'gateway.internal': refuse(500, 'error'),
  'gateway.snapshot_refused': internal(500),
  'gateway.blob_refused': internal(500),
  'gateway.control_unavailable': internal(503),
  'gateway.config_invalid': internal(500),
} as const satisfies Record<string, ErrorRule>;

export type GatewayErrorCode = keyof typeof gatewayErrors;

/** A failure of the gateway itself or a refusal it answers with. */
export class GatewayError extends CordonError {
  readonly code: GatewayErrorCode;

  constructor(code: GatewayErrorCode, message: string, detail: Record<string, unknown> = {}, cause?: unknown) {
    super(message, detail, cause);
    this.code = code;
  }
}

export type HeaderList = readonly (readonly [name: string, value: string])[];

/**
 * A call that is answered by the gateway itself. It carries no stack: refusals are traffic, not faults, and a
 * flood of them must stay cheap.
 */
export class Refusal extends GatewayError {
  readonly status: number;
  readonly headers: HeaderList;

  constructor(
    code: GatewayErrorCode,
    message: string,
    options: { detail?: Record<string, unknown>; headers?: HeaderList; cause?: unknown } = {},
  ) {
    const before = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(code, message, options.detail, options.cause);
    Error.stackTraceLimit = before;
    this.status = gatewayErrors[code].status;
    this.headers = options.headers ?? [];
  }
}
