import { expect, test } from 'vitest';
import { authorize, authorizeOwn, isAllowed, PERMISSIONS, requireStepUp, STEP_UP_AGE_MS_MAX } from './actor.ts';
import { canonicalJson } from './canonical.ts';
import {
  AccessDenied,
  AuditBroken,
  CordonError,
  IdInvalid,
  kernelErrors,
  StepUpRequired,
  toProblem,
} from './errors.ts';
import { AppId, timeOfId, uuidv7 } from './id.ts';
import { createLogger } from './logger.ts';

test('ids sort in the order they were made, also within one millisecond, and tell their time', () => {
  const ids = Array.from({ length: 20_000 }, () => uuidv7(1_800_000_000_000));
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  expect(timeOfId(ids[0] ?? '')).toBe(1_800_000_000_000);
  expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test.each([[''], [7], [null], ['018F0000-0000-7000-8000-000000000000'], ["' or 1=1"], [`${uuidv7()}x`]])(
  '%j is no id',
  (value) => {
    expect(() => AppId.parse(value)).toThrow(IdInvalid);
  },
);

test.each([
  [{ b: 1, a: [true, null, 'x'] }, '{"a":[true,null,"x"],"b":1}'],
  [{ a: undefined, é: 1, z: 2 }, '{"z":2,"é":1}'],
  [[{ b: {}, a: 1e21 }], '[{"a":1e+21,"b":{}}]'],
])('canonical form of %j', (value, text) => {
  expect(canonicalJson(value)).toBe(text);
});

test('the logger hides secrets by key and by shape', () => {
  const lines: string[] = [];
  const logger = createLogger({ role: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } });
  logger.info(
    { headers: { authorization: 'Bearer abcdefghijkl' }, deep: { client_secret: 'hush-hush' } },
    'with Bearer abcdefghijkl',
  );
  logger.error({ err: new Error('connect postgres://cordon:hunter2@127.0.0.1/x failed') }, 'database');
  logger.info({ token: 'cordon_sec_0123456789' }, 'cordon_pat_0123456789');
  const text = lines.join('');
  for (const secret of ['abcdefghijkl', 'hush-hush', 'hunter2', '0123456789']) expect(text).not.toContain(secret);
  expect(text).toContain('[hidden]');
});

test('what no table lists becomes an opaque 500', () => {
  class Odd extends CordonError {
    readonly code = 'odd.thing';
  }
  for (const error of [new Error('password=1'), new Odd('internal detail', { secret: 1 }), 'text']) {
    const problem = toProblem(error, [kernelErrors], 'r-1');
    expect(problem).toMatchObject({ status: 500, code: 'internal' });
    expect(JSON.stringify(problem)).not.toMatch(/password|internal detail|secret/);
    expect(problem.detail).toContain('r-1');
  }
  expect(toProblem(new AccessDenied('no', { permission: 'x' }), [kernelErrors], 'r')).toMatchObject({
    status: 403,
    code: 'kernel.access_denied',
    permission: 'x',
  });
  const broken = toProblem(new AuditBroken('The audit trail is broken at record 5.', { seq: 5 }), [kernelErrors], 'r');
  expect(broken).toMatchObject({ status: 500, code: 'kernel.audit_broken', seq: 5 });
  expect(broken.detail).toContain('record 5');
});

test("a pure package's error is answered by its own table", () => {
  class Pure extends Error {
    readonly code = 'pure.wrong';
    readonly detail = { line: 3 };
  }
  const table = { 'pure.wrong': { status: 400, expose: true, level: 'info' } } as const;
  expect(toProblem(new Pure('line 3 is wrong'), [table], 'r')).toMatchObject({
    status: 400,
    code: 'pure.wrong',
    line: 3,
  });
  const system = Object.assign(new Error('secret path'), { code: 'constructor', detail: {} });
  expect(toProblem(system, [table], 'r')).toMatchObject({ status: 500, code: 'internal' });
});

test('every permission has a holder; the system may everything, nobody else by default', () => {
  for (const [permission, roles] of Object.entries(PERMISSIONS))
    expect([permission, roles.length]).not.toEqual([permission, 0]);
  const nobody = { kind: 'person', id: '1', name: 'n', roles: [] } as const;
  expect(isAllowed(nobody, 'app.read')).toBe(false);
  expect(() => authorize(nobody, 'app.write')).toThrow(/owner, security, app-owner/);
  expect(isAllowed({ kind: 'system', name: 's' }, 'app.write')).toBe(true);
});

test.each([
  [['developer'], 'mine', true],
  [['developer'], 'theirs', false],
  [['developer', 'app-owner'], 'theirs', false],
  [['developer', 'security'], 'theirs', true],
  [['owner'], 'theirs', true],
  [['auditor'], 'mine', false],
] as const)('roles %j may write an integration that is %s: %s', (roles, whose, allowed) => {
  const actor = { kind: 'person', id: 'p-1', name: 'n', roles } as const;
  const attempt = () => authorizeOwn(actor, 'integration.write', whose === 'mine' ? 'p-1' : 'p-2');
  let refused = false;
  try {
    attempt();
  } catch (error) {
    refused = error instanceof AccessDenied;
  }
  expect(refused).toBe(!allowed);
});

test('privileged acts need a strong factor that is fresh', () => {
  const person = { kind: 'person', id: '1', name: 'n', roles: ['owner'] } as const;
  expect(() => requireStepUp(person, 'system.write', 0)).toThrow(StepUpRequired);
  const fresh = { ...person, strongAuthAt: 1_000 };
  expect(() => requireStepUp(fresh, 'system.write', 1_000 + STEP_UP_AGE_MS_MAX)).not.toThrow();
  expect(() => requireStepUp(fresh, 'system.write', 1_001 + STEP_UP_AGE_MS_MAX)).toThrow(StepUpRequired);
  expect(() => requireStepUp(person, 'app.read', 0)).not.toThrow();
});
