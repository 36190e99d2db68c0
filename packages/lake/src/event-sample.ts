import { apiActivity, type ApiCallFacts } from './call-build.ts';
import type { ApiActivityEvent } from './ocsf-events.ts';

/** A well-formed call that tests and benchmarks vary; `over` replaces any part. */
export function sampleCall(over: Partial<ApiCallFacts> = {}): ApiActivityEvent {
  return apiActivity({
    id: '019b0000-0000-7000-8000-000000000001',
    time: 1_790_000_000_000,
    role: 'gateway',
    integration: { id: '019b0000-0000-7000-8000-00000000a001', name: 'Invoice sync' },
    app: { id: '019b0000-0000-7000-8000-00000000b001', name: 'GitHub' },
    source: { ip: '10.1.2.3', port: 50_000 },
    destination: { hostname: 'api.github.com', port: 443 },
    request: { method: 'GET', path: '/repos/cordon/cordon', bytes: 0, userAgent: 'octokit-rest.js/22' },
    response: { status: 200, bytes: 5120, contentType: 'application/json' },
    decision: 'allow',
    durationMs: 12.4,
    upstreamMs: 11.9,
    gatewayId: 'gw-1',
    snapshotVersion: 7,
    operation: 'repos/get',
    pathTemplate: '/repos/{owner}/{repo}',
    ...over,
  });
}
