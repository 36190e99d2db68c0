import type { StoredEvent } from '../api/wire.ts';

/** The value at a path of an event, whatever it is. */
export function valueAt(event: unknown, path: string): unknown {
  let value = event;
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[part]; // an object, as just checked
  }
  return value;
}

function textAt(event: unknown, ...paths: readonly string[]): string | undefined {
  for (const path of paths) {
    const value = valueAt(event, path);
    if (typeof value === 'string' && value !== '') return value;
    if (typeof value === 'number') return String(value);
  }
  return undefined;
}

function numberAt(event: unknown, path: string): number | undefined {
  const value = valueAt(event, path);
  return typeof value === 'number' ? value : undefined;
}

export interface Finding {
  readonly class: string;
  readonly direction: string;
  readonly count: number;
  readonly action: string;
}

function isFinding(value: unknown): value is Finding {
  return typeof value === 'object' && value !== null && 'class' in value && 'action' in value;
}

/** What the table and the panel show of an OCSF event, whatever its class. */
export interface EventFacts {
  readonly id: string;
  readonly time: number;
  readonly kind: string;
  readonly decision: string | undefined;
  readonly reason: string | undefined;
  readonly who: string | undefined;
  readonly integrationId: string | undefined;
  readonly app: string | undefined;
  readonly appId: string | undefined;
  readonly operation: string | undefined;
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly status: number | undefined;
  readonly durationMs: number | undefined;
  readonly upstreamMs: number | undefined;
  readonly policies: readonly string[];
  readonly findings: readonly Finding[];
}

const CLASS_NAMES: Readonly<Record<number, string>> = {
  2004: 'Detection finding',
  3001: 'Account change',
  3002: 'Authentication',
  3004: 'Entity management',
  4002: 'HTTP activity',
  6003: 'API activity',
};

export function factsOf({ id, time, event }: StoredEvent): EventFacts {
  const classUid = numberAt(event, 'class_uid') ?? 0;
  const authorizations = valueAt(event, 'authorizations');
  const findings = valueAt(event, 'unmapped.cordon.findings');
  const policies = (Array.isArray(authorizations) ? authorizations : []).flatMap((one) => {
    const name = textAt(one, 'policy.name', 'policy.uid');
    return name === undefined ? [] : [name];
  });
  return {
    id,
    time,
    kind: CLASS_NAMES[classUid] ?? `Class ${classUid}`,
    decision: textAt(event, 'unmapped.cordon.decision'),
    reason: textAt(event, 'unmapped.cordon.reason', 'status_detail', 'status_code'),
    who: textAt(
      event,
      'actor.app_name',
      'actor.user.email_addr',
      'actor.user.name',
      'user.email_addr',
      'user.name',
      'actor.app_uid',
    ),
    integrationId: textAt(event, 'actor.app_uid'),
    app: textAt(event, 'api.service.name', 'app_name', 'service.name', 'entity.name', 'dst_endpoint.svc_name'),
    appId: textAt(event, 'api.service.uid'),
    operation: textAt(event, 'api.operation', 'message', 'finding_info.title', 'entity.type'),
    method: textAt(event, 'http_request.http_method'),
    path: textAt(event, 'http_request.url.path'),
    status: numberAt(event, 'http_response.code'),
    durationMs: numberAt(event, 'duration'),
    upstreamMs: numberAt(event, 'unmapped.cordon.upstream_ms'),
    policies: [...new Set(policies)],
    findings: Array.isArray(findings) ? findings.filter(isFinding) : [],
  };
}
