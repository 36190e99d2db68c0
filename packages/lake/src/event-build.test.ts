import { describe, expect, test } from 'vitest';
import { apiActivity, type ApiCallFacts, httpActivity } from './call-build.ts';
import { detectionFinding } from './finding-build.ts';
import { accountChange, authentication, entityManagement } from './iam-build.ts';
import { parseEvent } from './ocsf-events.ts';

const origin = { id: '019b0000-0000-7000-8000-000000000001', time: 1_790_000_000_123, role: 'gateway' };
const call: ApiCallFacts = {
  ...origin,
  integration: { id: 'int-1', name: 'Invoice sync' },
  app: { id: 'app-1', name: 'GitHub' },
  source: { ip: '10.1.2.3', port: 50_000 },
  destination: { hostname: 'api.github.com', port: 443 },
  request: { method: 'get', path: '/repos/a/b', bytes: 0, userAgent: 'octokit/1' },
  response: { status: 200, bytes: 5120, contentType: 'application/json' },
  decision: 'allow',
  durationMs: 12.4,
  gatewayId: 'gw-1',
  snapshotVersion: 7,
  operation: 'repos/get',
  pathTemplate: '/repos/{owner}/{repo}',
};

const iam = { ...origin, role: 'control', success: true };

const built: readonly (readonly [string, unknown, number, number])[] = [
  ['API Activity', apiActivity(call), 6003, 600_302],
  ['HTTP Activity', httpActivity({ ...call, request: { ...call.request, method: 'PATCH' } }), 4002, 400_209],
  [
    'Authentication',
    authentication({
      ...iam,
      activity: 'logon',
      user: { id: 'p1', email: 'ada@example.com' },
      service: { name: 'Cordon' },
      factors: ['passkey', 'private_key_jwt'],
    }),
    3002,
    300_201,
  ],
  ['Account Change', accountChange({ ...iam, activity: 'lock', user: { id: 'p1' } }), 3001, 300_109],
  [
    'Entity Management',
    entityManagement({
      ...iam,
      activity: 'suspend',
      entity: { type: 'integration', id: 'int-1', name: 'Invoice sync' },
    }),
    3004,
    300_412,
  ],
  [
    'Detection Finding',
    detectionFinding({
      ...origin,
      activity: 'create',
      severity: 'high',
      findingId: 'f1',
      title: 'Stolen token',
      rule: { id: 'r1', name: 'New network', kind: 'rule' },
      eventIds: ['e1'],
      attacks: [{ technique: { id: 'T1528', name: 'Steal Application Access Token' } }],
    }),
    2004,
    200_401,
  ],
];

describe('builders', () => {
  test.each(built)('%s satisfies its own schema', (_name, event, classUid, typeUid) => {
    const parsed = parseEvent(JSON.parse(JSON.stringify(event)));
    expect(parsed.class_uid).toBe(classUid);
    expect(parsed.type_uid).toBe(typeUid);
    expect(parsed.time).toBe(origin.time);
    // What was built is what comes back: the schema drops nothing.
    expect(parsed).toEqual(event);
  });

  test.each([
    ['allow', 200, 1, 1, 1, 1],
    ['allow', 404, 1, 1, 2, 1],
    ['redact', 200, 4, 11, 1, 2],
    ['deny', 403, 2, 2, 2, 3],
    ['error', 502, 1, 27, 2, 2],
  ] as const)('decision %s with status %i', (decision, status, action, disposition, outcome, severity) => {
    const event = apiActivity({ ...call, decision, response: { status, bytes: 0 } });
    expect(event).toMatchObject({
      action_id: action,
      disposition_id: disposition,
      status_id: outcome,
      severity_id: severity,
      unmapped: { cordon: { decision } },
    });
  });

  test('a refusal carries its reason and the policies that decided', () => {
    const event = apiActivity({
      ...call,
      decision: 'deny',
      reason: 'gateway.operation_not_granted',
      reasonText: 'Not granted.',
      policies: [{ id: 'p1', name: 'Default deny' }],
    });
    expect(event).toMatchObject({
      status_code: 'gateway.operation_not_granted',
      status_detail: 'Not granted.',
      policy: { uid: 'p1', name: 'Default deny' },
      authorizations: [{ decision: 'deny', policy: { uid: 'p1' } }],
    });
  });

  test('traffic counts from the source: out is what the integration sent', () => {
    const event = httpActivity({ ...call, request: { ...call.request, bytes: 11 } });
    expect(event.traffic).toEqual({ bytes_out: 11, bytes_in: 5120 });
  });
});

describe('parseEvent', () => {
  const good = JSON.parse(JSON.stringify(apiActivity(call)));
  test.each([
    ['a type_uid that does not follow', { ...good, type_uid: 1 }, 'type_uid'],
    ['a category that does not follow', { ...good, category_uid: 3 }, 'category_uid'],
    ['no actor on API Activity', { ...good, actor: undefined }, 'actor'],
    ['no id', { ...good, metadata: { ...good.metadata, uid: undefined } }, 'metadata.uid'],
    ['time in words', { ...good, time: 'yesterday' }, 'time'],
    ['nothing', null, ''],
    ['a text', 'event', ''],
  ])('refuses %s and names the field', (_name, event, field) => {
    expect(() => parseEvent(event)).toThrow(
      expect.objectContaining({ code: 'lake.event_invalid', detail: expect.objectContaining({ field }) }),
    );
  });

  test('keeps a class that Cordon does not write, and every attribute of it', () => {
    const event = { ...good, class_uid: 6001, type_uid: 600_102, web_resources: [{ name: 'a' }], actor: undefined };
    expect(parseEvent(event)).toEqual(event);
  });
});
