import { randomUUID } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { exportJWK, generateKeyPair, importJWK, importPKCS8, type JWK, SignJWT } from 'jose';
import { z } from 'zod';
import { publicUrls } from '../supervisor/resolve-config.ts';
import type { CliContext } from './context.ts';
import { note, print, printJson, UsageWrong } from './output.ts';

const ASSERTION_S = 60;
const REQUEST_MS_MAX = 30_000;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** By key type (RFC 7518 section 3.1); the authorization server takes these. */
const ALGORITHMS: Readonly<Record<string, string>> = { EC: 'ES256', OKP: 'EdDSA', RSA: 'PS256' };

const metadata = z.object({ issuer: z.string(), token_endpoint: z.url() });
const granted = z.object({ access_token: z.string(), expires_in: z.number(), token_type: z.string() });
const refused = z.object({ error: z.string(), error_description: z.string().optional() });

async function ask(url: string, init: RequestInit): Promise<{ status: number; body: unknown }> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(REQUEST_MS_MAX) });
    return { status: response.status, body: await response.json().catch(() => null) };
  } catch (cause) {
    throw new UsageWrong(`Cordon does not answer at ${url}. Is it running? ("cordon up")`, {}, cause);
  }
}

async function discover(url: string): Promise<z.output<typeof metadata>> {
  const address = `${url}/.well-known/openid-configuration`;
  const parsed = metadata.safeParse((await ask(address, {})).body);
  if (!parsed.success) throw new UsageWrong(`${address} is no authorization server's description. Check CORDON_URL.`);
  return parsed.data;
}

/** A private key as JWK (with or without a JWKS around it) or as PKCS #8 PEM. */
async function loadKey(path: string) {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UsageWrong(`The key file ${path} can't be read.`, {}, cause);
  });
  if (text.includes('-----BEGIN')) {
    for (const alg of Object.values(ALGORITHMS)) {
      const key = await importPKCS8(text, alg).catch(() => null);
      if (key) return { key, alg, kid: undefined };
    }
    throw new UsageWrong(`${path} holds no PKCS #8 private key of a kind that is accepted: P-256, Ed25519 or RSA.`);
  }
  let jwk: JWK;
  try {
    const parsed = JSON.parse(text) as JWK | { keys: JWK[] }; // importJWK refuses what is no key
    jwk = 'keys' in parsed && Array.isArray(parsed.keys) ? (parsed.keys[0] ?? {}) : (parsed as JWK);
  } catch (cause) {
    throw new UsageWrong(`${path} is neither PEM nor JSON.`, {}, cause);
  }
  const alg = jwk.alg ?? ALGORITHMS[jwk.kty ?? ''];
  if (alg === undefined || jwk.d === undefined) {
    throw new UsageWrong(`${path} holds no private key. Give the file that "cordon client-key" made, not the .jwks.`);
  }
  return { key: await importJWK(jwk, alg), alg, kid: jwk.kid };
}

/** RFC 7523 section 3: the client proves that it holds the key; nothing that could be stolen is sent. */
async function signAssertion(clientId: string, issuer: string, keyFile: string): Promise<string> {
  const { key, alg, kid } = await loadKey(keyFile);
  return new SignJWT({ jti: randomUUID() })
    .setProtectedHeader(kid === undefined ? { alg } : { alg, kid })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(issuer)
    .setIssuedAt()
    .setExpirationTime(`${ASSERTION_S} s`)
    .sign(key);
}

interface TokenOptions {
  readonly clientId: string;
  readonly secretEnv?: string;
  readonly key?: string;
  readonly json?: boolean;
}

async function obtain(context: CliContext, options: TokenOptions): Promise<z.output<typeof granted>> {
  if ((options.secretEnv === undefined) === (options.key === undefined)) {
    throw new UsageWrong('Say how the client proves itself: --key FILE (stronger) or --secret-env NAME.');
  }
  const url = context.env['CORDON_URL'] ?? publicUrls(await context.config()).control;
  const { issuer, token_endpoint: endpoint } = await discover(url);
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  const headers: Record<string, string> = {};
  if (options.key !== undefined) {
    form.set('client_assertion_type', ASSERTION_TYPE);
    form.set('client_assertion', await signAssertion(options.clientId, issuer, options.key));
  } else {
    const secret = context.env[options.secretEnv ?? ''] ?? '';
    if (secret === '') throw new UsageWrong(`The variable ${options.secretEnv ?? ''} is empty or not set.`);
    // RFC 6749 section 2.3.1: both parts form-encoded before they are joined.
    const pair = [options.clientId, secret].map((part) => encodeURIComponent(part)).join(':');
    headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  const { status, body } = await ask(endpoint, { method: 'POST', headers, body: form });
  const token = granted.safeParse(body);
  if (token.success) return token.data;
  const why = refused.safeParse(body);
  const text = why.success ? [why.data.error, why.data.error_description].filter(Boolean).join(': ') : `HTTP ${status}`;
  throw new UsageWrong(`No token was given: ${text}`);
}

async function writeNew(path: string, value: unknown, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode).catch((cause: unknown) => {
    throw new UsageWrong(`${path} can't be made; an existing key is never overwritten.`, {}, cause);
  });
  await file.writeFile(`${JSON.stringify(value, null, 2)}\n`);
  await file.close();
}

export function addTokenCommands(program: Command, context: CliContext): void {
  program
    .command('token')
    .description('obtain an access token for an integration (client_credentials)')
    .requiredOption('--client-id <id>', 'client_id from: cordon integration credential')
    .option('--key <file>', 'private key for private_key_jwt, as JWK or PEM')
    .option('--secret-env <name>', 'environment variable that holds the client secret')
    .option('--json', 'the whole answer, with its life in seconds')
    .action(async (options: TokenOptions) => {
      const token = await obtain(context, options);
      if (options.json) return printJson(token);
      return print(token.access_token);
    });

  program
    .command('client-key <file>')
    .description('make a key pair for private_key_jwt: FILE (private, 0600) and FILE.jwks (public)')
    .action(async (file: string) => {
      const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
      const common = { kid: randomUUID(), alg: 'ES256', use: 'sig' };
      await writeNew(file, { ...(await exportJWK(privateKey)), ...common }, 0o600);
      await writeNew(`${file}.jwks`, { keys: [{ ...(await exportJWK(publicKey)), ...common }] }, 0o644);
      note(`${file} stays with the integration. Register ${file}.jwks: cordon integration credential NAME --jwks`);
    });
}
