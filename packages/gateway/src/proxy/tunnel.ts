import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { AppPlan } from '../app-plan.ts';
import { checkLiteralHost, guardedLookup } from '../egress-guard.ts';
import { Refusal } from '../errors.ts';
import { explainFailure } from '../upstream-call.ts';
import { type ClientHello, HELLO_BYTES_MAX, readClientHello } from './client-hello.ts';
import type { Destination } from './destination.ts';

const CONNECT_MS_MAX = 10_000;
/** A tunnel over which nothing goes in either direction for so long is closed. */
export const IDLE_MS_MAX = 120_000;
/** However busy: a revocation must reach tunnels that never end. */
export const TUNNEL_MS_MAX = 3_600_000;

/** Opens a connection to where a tunnel leads; the address that was judged is the address that is connected to. */
export async function connectTunnel({ host, port }: Destination, app: AppPlan | undefined): Promise<net.Socket> {
  const allowed = app?.entry.privateAddresses ?? [];
  const { promise, resolve, reject } = Promise.withResolvers<net.Socket>();
  try {
    checkLiteralHost(host, allowed);
  } catch (error) {
    throw explainFailure(error, host);
  }
  const socket = net.connect({ host, port, lookup: guardedLookup(allowed), autoSelectFamily: false });
  const late = setTimeout(
    () => socket.destroy(Object.assign(new Error('connect timeout'), { code: 'ETIMEDOUT' })),
    CONNECT_MS_MAX,
  );
  socket.once('connect', () => resolve(socket));
  socket.once('error', (error) => reject(explainFailure(error, host)));
  try {
    return await promise;
  } finally {
    clearTimeout(late);
  }
}

/**
 * Reads the beginning of what the client says until its ClientHello is complete, and puts it back.
 * Null: it isn't TLS.
 */
export async function peekHello(socket: Duplex, head: Buffer, waitMs: number): Promise<ClientHello | null> {
  let bytes = head;
  const { promise, resolve, reject } = Promise.withResolvers<ClientHello | null>();
  const judge = (): void => {
    const reading = readClientHello(bytes);
    if (reading.kind === 'hello') resolve(reading.hello);
    else if (reading.kind === 'not-tls' || bytes.length > HELLO_BYTES_MAX * 2) resolve(null);
  };
  const onData = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    judge();
  };
  const gone = (): void =>
    reject(new Refusal('gateway.client_gone', 'The client closed the tunnel before it used it.'));
  const late = setTimeout(
    () => reject(new Refusal('gateway.request_timeout', 'The client opened a tunnel and said nothing.')),
    waitMs,
  );
  socket.on('data', onData);
  socket.once('close', gone);
  socket.once('error', gone);
  try {
    if (head.length > 0) judge();
    return await promise;
  } finally {
    clearTimeout(late);
    socket.off('data', onData);
    socket.off('close', gone);
    socket.off('error', gone);
    socket.pause();
    if (bytes.length > 0) socket.unshift(bytes);
  }
}

export interface TunnelEnd {
  readonly out: number;
  readonly in: number;
}

/** Carries bytes both ways until an end closes, nothing happens for too long, or `signal` says stop. */
export async function carry(
  client: Duplex,
  upstream: net.Socket,
  signal: AbortSignal,
  idleMs = IDLE_MS_MAX,
): Promise<TunnelEnd> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let sent = 0;
  const close = (): void => {
    client.destroy();
    upstream.destroy();
    resolve();
  };
  upstream.setTimeout(idleMs, close);
  if (client instanceof net.Socket) client.setTimeout(0);
  const longest = setTimeout(close, TUNNEL_MS_MAX);
  signal.addEventListener('abort', close, { once: true });
  client.on('data', (chunk: Buffer) => {
    sent += chunk.length;
  });
  for (const end of [client, upstream]) {
    end.on('error', close);
    end.once('close', close);
  }
  client.pipe(upstream);
  upstream.pipe(client);
  await promise;
  clearTimeout(longest);
  signal.removeEventListener('abort', close);
  return { out: sent, in: upstream.bytesRead };
}
