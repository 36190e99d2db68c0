import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createIdentity, identityMigrations } from '@cordon/identity';
import {
  createLogger,
  createSecretEnvelope,
  IntegrationId,
  kernelMigrations,
  migrate,
  openDatabase,
  startEmbeddedPostgres,
  systemClock,
} from '@cordon/kernel';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { Pool } from 'undici';
import type { Row } from './run.ts';

/** Tokens asked for in one run, and how many requests are under way at once. */
const TOKENS = 400;
const AT_ONCE = 16;
const RUNS = 5;
const SYSTEM = { kind: 'system', name: 'bench' } as const;
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

interface KeyPair {
  readonly key: CryptoKey;
  readonly jwk: JWK;
}

interface Call {
  readonly headers: Record<string, string>;
  readonly body: string;
}

interface Clients {
  readonly secret: { readonly id: string; readonly value: string };
  readonly keyed: { readonly id: string };
  readonly bound: { readonly id: string };
}

async function makeKey(): Promise<KeyPair> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  return { key: pair.privateKey, jwk: await exportJWK(pair.publicKey) };
}

/** Signed before the clock runs: the cost of the clients is not the server's. */
async function prepare(issuer: string, clients: Clients, pair: KeyPair, kind: string): Promise<Call[]> {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const calls: Call[] = [];
  for (let index = 0; index < TOKENS; index++) {
    if (kind === 'client_secret_basic') {
      const { id, value } = clients.secret;
      const authorization = `Basic ${Buffer.from(`${id}:${value}`).toString('base64')}`;
      calls.push({ headers: { ...form, authorization }, body: 'grant_type=client_credentials' });
      continue;
    }
    const id = kind === 'dpop' ? clients.bound.id : clients.keyed.id;
    const assertion = await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(id)
      .setSubject(id)
      .setAudience(issuer)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(pair.key);
    const fields = { grant_type: 'client_credentials', client_assertion_type: ASSERTION, client_assertion: assertion };
    const headers: Record<string, string> = { ...form };
    if (kind === 'dpop') {
      headers['dpop'] = await new SignJWT({ htm: 'POST', htu: `${issuer}/oauth/token`, jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: pair.jwk })
        .setIssuedAt()
        .sign(pair.key);
    }
    calls.push({ headers, body: new URLSearchParams(fields).toString() });
  }
  return calls;
}

async function cpuOf(child: ChildProcess): Promise<number> {
  const answer = once(child, 'message');
  child.send('cpu');
  const [message] = (await answer) as [{ cpuUs: number }]; // identity-process.ts answers so
  return message.cpuUs;
}

interface Sample {
  readonly perSecond: number;
  readonly cpuUs: number;
}

async function fire(pool: Pool, child: ChildProcess, calls: readonly Call[]): Promise<Sample> {
  const queue = [...calls];
  const before = await cpuOf(child);
  const start = process.hrtime.bigint();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let call = queue.pop(); call; call = queue.pop()) {
        const answer = await pool.request({ method: 'POST', path: '/oauth/token', ...call });
        const text = await answer.body.text();
        if (answer.statusCode !== 200) throw new Error(`token refused: ${answer.statusCode} ${text}`);
      }
    }),
  );
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  return { perSecond: calls.length / seconds, cpuUs: ((await cpuOf(child)) - before) / calls.length };
}

function rowOf(name: string, metric: string, unit: string, values: readonly number[], peer?: readonly number[]): Row {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = (list: readonly number[]): number =>
    [...list].sort((left, right) => left - right)[Math.floor(list.length / 2)] ?? 0;
  const median = middle(sorted);
  return {
    name,
    metric,
    unit,
    median,
    min: sorted[0] ?? 0,
    max: sorted.at(-1) ?? 0,
    runs: values.length,
    ...(peer ? { ratio: median / middle(peer) } : {}),
  };
}

async function startServer(parameters: object): Promise<{ child: ChildProcess; issuer: string; pool: Pool }> {
  const child = fork(new URL('./identity-process.ts', import.meta.url), [JSON.stringify(parameters)]);
  const [message] = (await once(child, 'message')) as [{ issuer: string }]; // identity-process.ts says so first
  return { child, issuer: message.issuer, pool: new Pool(message.issuer, { connections: AT_ONCE }) };
}

/**
 * Tokens a second of the authorization server on PostgreSQL beside a bare oidc-provider with memory storage. CPU time
 * is the server process's own (PostgreSQL works in others); tokens a second and core follow from it, and hold also on
 * a machine that does other things.
 */
export async function run(): Promise<{ rows: Row[] }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'cordon-bench-identity-'));
  const logger = createLogger({ role: 'bench', level: 'error' });
  const postgres = await startEmbeddedPostgres({ dataDir, logger });
  const db = openDatabase({ url: postgres.url, logger });
  await migrate(db, [kernelMigrations, identityMigrations]);
  const pair = await makeKey();
  const identity = createIdentity({
    db,
    clock: systemClock,
    envelope: createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] }),
    logger,
    config: { publicUrl: 'http://127.0.0.1' },
    emit: () => undefined,
    onRevoked: async () => undefined,
  });
  const integrationId = IntegrationId.create();
  const jwks = { keys: [pair.jwk] };
  const create: typeof identity.oauthClients.create = (actor, input) => identity.oauthClients.create(actor, input);
  const secret = await create(SYSTEM, { integrationId, name: 'secret', auth: { method: 'client_secret_basic' } });
  const keyed = await create(SYSTEM, { integrationId, name: 'keyed', auth: { method: 'private_key_jwt', jwks } });
  const bound = await create(SYSTEM, {
    integrationId,
    name: 'bound',
    auth: { method: 'private_key_jwt', jwks },
    binding: 'dpop',
  });
  const clients: Clients = {
    secret: { id: secret.client.id, value: secret.secret ?? '' },
    keyed: { id: keyed.client.id },
    bound: { id: bound.client.id },
  };
  const common = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
  const metadata = [
    { ...common, client_id: clients.secret.id, client_secret: clients.secret.value },
    { ...common, client_id: clients.keyed.id, token_endpoint_auth_method: 'private_key_jwt', jwks },
    {
      ...common,
      client_id: clients.bound.id,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks,
      dpop_bound_access_tokens: true,
    },
  ];
  const servers = {
    cordon: await startServer({ kind: 'cordon', databaseUrl: postgres.url, clients: [] }),
    bare: await startServer({ kind: 'bare', databaseUrl: '', clients: metadata }),
  };

  const rows: Row[] = [];
  try {
    for (const kind of ['client_secret_basic', 'private_key_jwt', 'dpop']) {
      const samples: Record<'cordon' | 'bare', Sample[]> = { cordon: [], bare: [] };
      // One run more than is counted: the first warms up. The two take turns, so that a busy spell hits both.
      for (let run = 0; run <= RUNS; run++) {
        for (const name of ['cordon', 'bare'] as const) {
          const { issuer, child, pool } = servers[name];
          const sample = await fire(pool, child, await prepare(issuer, clients, pair, kind));
          if (run > 0) samples[name].push(sample);
        }
      }
      const of = (name: 'cordon' | 'bare', pick: (sample: Sample) => number): number[] => samples[name].map(pick);
      const perCore = (sample: Sample): number => 1e6 / sample.cpuUs;
      rows.push(
        rowOf(`${kind}, Cordon on PostgreSQL`, 'tokens per core', '1/s', of('cordon', perCore), of('bare', perCore)),
        rowOf(`${kind}, bare oidc-provider in memory`, 'tokens per core', '1/s', of('bare', perCore)),
        rowOf(
          `${kind}, Cordon on PostgreSQL`,
          'tokens, wall clock',
          '1/s',
          of('cordon', (one) => one.perSecond),
          of('bare', (one) => one.perSecond),
        ),
        rowOf(
          `${kind}, bare oidc-provider in memory`,
          'tokens, wall clock',
          '1/s',
          of('bare', (one) => one.perSecond),
        ),
      );
    }
  } finally {
    for (const { child, pool } of Object.values(servers)) {
      await pool.close();
      child.kill();
    }
    await db.close();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
  return { rows };
}
