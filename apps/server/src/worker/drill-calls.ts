import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import { rootCertificates } from 'node:tls';
import type { CallOutcome, DrillPorts } from '@cordon/drills';
import { DrillBroken } from '@cordon/drills';
import type { RoleConfig } from '../supervisor/role-config.ts';

const CALL_MS_MAX = 10_000;
const CONNECT_MS_MAX = 500;

/** Whether somebody listens there. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS_MAX });
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

/**
 * Where a thief would find the gateway: each process alone where this machine's gateways have such ports, else the
 * plain listener of this machine, else the public address.
 */
export async function gatewayAddresses({ gateway }: RoleConfig): Promise<string[]> {
  const ports =
    gateway.processPort === 0
      ? []
      : Array.from({ length: gateway.processes }, (_, index) => gateway.processPort + index);
  const alone = (
    await Promise.all(ports.map(async (port) => ((await answers('127.0.0.1', port)) ? [port] : [])))
  ).flat();
  if (alone.length > 0) return alone.map((port) => `http://127.0.0.1:${port}`);
  if (gateway.plainPort !== 0 && (await answers('127.0.0.1', gateway.plainPort)))
    return [`http://127.0.0.1:${gateway.plainPort}`];
  return [gateway.publicUrl];
}

interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** PEM certificates to trust besides the public ones. */
  readonly ca?: readonly string[];
}

/** One request on a connection of its own, so that calls spread over the processes behind an address. */
export function sendOnce(
  url: URL,
  { method, headers, body, ca = [] }: Sent,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: false, signal: AbortSignal.timeout(CALL_MS_MAX) } as const;
    const request =
      url.protocol === 'https:'
        ? requestHttps(url, { ...options, ca: [...rootCertificates, ...ca] })
        : requestHttp(url, options);
    request.once('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
      answer.once('error', reject);
    });
    request.once('error', reject);
    request.end(body);
  });
}

/** Calls as the thief makes them. No answer is status 0. */
export function createDrillCall(config: RoleConfig): DrillPorts['call'] {
  const ca = config.gateway.tls ? [config.gateway.tls.cert] : [];
  return async ({ gateway, appName, method, path, token, userAgent }): Promise<CallOutcome> => {
    const began = performance.now();
    const isWriting = method === 'POST' || method === 'PUT';
    const headers = {
      authorization: `Bearer ${token}`,
      'user-agent': userAgent,
      ...(isWriting && { 'content-type': 'application/json' }),
    };
    const sent = { method, headers, ca, ...(isWriting && { body: '{}' }) };
    const answer = await sendOnce(new URL(`${gateway}/${appName}${path}`), sent).catch(() => ({ status: 0 }));
    return { status: answer.status, ms: Math.round(performance.now() - began) };
  };
}

export async function obtainToken(config: RoleConfig, clientId: string, secret: string): Promise<string> {
  const { status, text } = await sendOnce(new URL(`${config.control.internalUrl}/oauth/token`), {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  });
  const found: unknown = status === 200 ? JSON.parse(text) : null;
  const token = typeof found === 'object' && found !== null && 'access_token' in found ? found.access_token : null;
  if (typeof token !== 'string') throw new DrillBroken(`The token endpoint answered ${status}.`);
  return token;
}
