import { EventId, uuidv7 } from '@cordon/kernel';
import type { OcsfEvent } from '@cordon/lake';
import { sampleCall } from '@cordon/lake/testing';

/** A repeatable generator (xorshift32), so that two runs store the same events. */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const APPS = [
  'GitHub',
  'Slack',
  'Google',
  'Stripe',
  'Okta',
  'Microsoft',
  'Salesforce',
  'Zendesk',
  'Notion',
  'Jira',
  'Box',
  'Zoom',
];
const NOUNS = ['issues', 'repos', 'chat', 'files', 'charges', 'users', 'tickets', 'members', 'events', 'pages'];
const VERBS = ['list', 'get', 'create', 'update', 'delete'];
const JOBS = ['Invoice', 'Ticket', 'Deploy', 'CRM', 'HR', 'Backup', 'Report'];
const PEOPLE = ['ada', 'grace', 'alan', 'linus', 'mary', 'tim'];
const AGENTS = [
  'octokit-rest.js/22.0.0 octokit-core.js/7.0.2 Node.js/26',
  '@slack/web-api/7.9.1 node/26.1.0',
  'google-api-nodejs-client/9.15.1',
  'Stripe/v1 NodeBindings/18.0.0',
  'python-requests/2.32.3',
];
const METHODS = ['GET', 'GET', 'GET', 'POST', 'PATCH', 'DELETE'];
const REASONS = ['gateway.operation_not_granted', 'gateway.limit_exceeded', 'gateway.body_invalid'];
const CLASSES = ['payment-card', 'email', 'aws-access-key', 'iban'];

/** Calls of 60 integrations to 12 apps, 360 operations, 400 people; 7% of them redacted, refused or failed. */
export function createEstate(seed: number): (time: number) => OcsfEvent {
  const random = createRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(list: readonly T[]): T => {
    const found = list[below(list.length)];
    if (found === undefined) throw new RangeError('empty list');
    return found;
  };
  const apps = APPS.map((name) => ({ id: uuidv7(), name }));
  const integrations = Array.from({ length: 60 }, (_, index) => ({
    id: uuidv7(),
    name: `${pick(JOBS)} sync ${index}`,
  }));
  const people = Array.from({ length: 400 }, (_, index) => ({
    id: uuidv7(),
    email: `${pick(PEOPLE)}${index}@example.com`,
  }));
  const operations = Array.from({ length: 360 }, (_, index) => ({
    id: `${pick(NOUNS)}/${pick(VERBS)}-${index}`,
    template: `/v${1 + (index % 3)}/${pick(NOUNS)}/{id}/${pick(NOUNS)}`,
  }));
  return (time) => {
    const operation = pick(operations);
    const app = pick(apps);
    const roll = random();
    const decision = roll < 0.93 ? 'allow' : roll < 0.96 ? 'redact' : roll < 0.99 ? 'deny' : 'error';
    const passed = decision === 'allow' || decision === 'redact';
    return sampleCall({
      id: EventId.create(time),
      time,
      app,
      integration: pick(integrations),
      ...(random() < 0.3 && { person: pick(people) }),
      source: { ip: `10.${below(4)}.${below(256)}.${below(256)}`, port: 1024 + below(60_000) },
      destination: { hostname: `api.${app.name.toLowerCase()}.com`, port: 443 },
      request: {
        method: pick(METHODS),
        path: operation.template.replace('{id}', String(below(1e6))),
        bytes: below(4000),
        userAgent: pick(AGENTS),
        requestId: uuidv7(time),
        version: '1.1',
      },
      response: passed
        ? {
            status: pick([200, 200, 200, 201, 404]),
            bytes: Math.floor(random() ** 3 * 100_000),
            contentType: 'application/json; charset=utf-8',
          }
        : { status: decision === 'deny' ? 403 : 502, bytes: 300, contentType: 'application/problem+json' },
      ...(!passed && { reason: pick(REASONS), reasonText: 'This integration was never granted the operation.' }),
      decision,
      durationMs: Math.round(random() ** 4 * 500_000) / 1000,
      upstreamMs: Math.round(random() ** 4 * 400_000) / 1000,
      operation: operation.id,
      pathTemplate: operation.template,
      policies: [{ id: `grant-${below(200)}` }],
      ...(decision === 'redact' && {
        findings: [
          { class: pick(CLASSES), direction: 'request' as const, count: 1 + below(3), action: 'redact' as const },
        ],
        redactions: 1,
      }),
    });
  };
}
