import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import newman, { type NewmanRunSummary } from 'newman';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestDirectory, type TestDirectory } from './test-directory.ts';

/** Microsoft's collection for Entra (AzureAD/SCIMReferenceCode, MIT); not part of this repository. */
const COLLECTION = new URL('../../../../../shared/corpora/scim/entra-postman.json', import.meta.url);
const absent = !existsSync(COLLECTION);

/**
 * Assertions that contradict the RFC or test the reference server's own extras, each with the reason. Everything else
 * in the collection must pass, and each of these must fail: one that passes has no business here.
 */
const CONTRADICTIONS: Readonly<Record<string, string>> = {
  'Get empty Users: Status code is 200':
    'Asks /users; paths have case (RFC 3986, section 6.2.2.1), and the endpoint is /Users.',
  'Get ServiceProviderConfig: Status code is 200':
    'Asks /serviceConfiguration; RFC 7644, section 4 says /ServiceProviderConfig.',
  'Get ServiceProviderConfig: Pach supported is true': 'As above.',
  'Get group by id: Body contians user':
    'Adds a member with a sub-attribute displayName, which members do not have (RFC 7643, section 4.2), and expects it back.',
  'filter eq and (val or val): Total results': 'Values without quotes; RFC 7644, section 3.4.2.2 wants JSON.',
  'filter starts with: Total results': 'As above.',
  'filter greater than: Total results': 'As above.',
  'Group patch add member: Status code is 204':
    'Adds a text as a member, and one that names nobody; members are objects that refer to users (RFC 7643, section 4.2).',
  'Group patch add member2: Status code is 204': 'As above.',
};

let directory: TestDirectory;
let summary: NewmanRunSummary;

function runCollection(environment: Record<string, string>): Promise<NewmanRunSummary> {
  const { promise, resolve, reject } = Promise.withResolvers<NewmanRunSummary>();
  const envVar = Object.entries(environment).map(([key, value]) => ({ key, value }));
  newman.run({ collection: COLLECTION.pathname, envVar, reporters: [], timeoutRequest: 10_000 }, (error, done) => {
    if (error) reject(error);
    else resolve(done);
  });
  return promise;
}

beforeAll(async () => {
  if (absent) return;
  directory = await startTestDirectory();
  // The reference server hands its token out at an address of its own, where the collection's first request asks for it.
  directory.server.get('/scim/v2/Token', async () => ({ token: directory.token }));
  await directory.server.listen({ host: '127.0.0.1', port: 0 });
  const { port } = directory.server.server.address() as AddressInfo; // listening on TCP
  summary = await runCollection({
    Protocol: 'http',
    Server: '127.0.0.1',
    Port: `:${port}`,
    Api: 'scim/v2',
  });
}, 120_000);
afterAll(async () => {
  if (!absent) await directory.stop();
});

test.skipIf(absent)('Microsoft’s collection for Entra (skipped: corpora absent)', () => {
  const failed = summary.run.executions.flatMap(({ item, assertions }) =>
    (assertions ?? []).filter(({ error }) => error).map(({ assertion }) => `${item.name}: ${assertion}`),
  );
  expect(summary.run.stats.assertions.total).toBe(108);
  expect(failed.sort()).toEqual(Object.keys(CONTRADICTIONS).sort());
});
