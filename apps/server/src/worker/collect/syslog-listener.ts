import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type Collect, peerCheck, type SourceCredential, SyslogFrames, syslogRecord } from '@cordon/detection';
import { type Clock, type Logger, uuidv7 } from '@cordon/kernel';
import type { MessageQueue } from './message-queue.ts';

const CONNECTIONS_MAX = 512;
const IDLE_MS_MAX = 3_600_000;
const UDP_BUFFER_BYTES = 8 * 1024 * 1024;

export interface Listener {
  /** Messages that were dropped since the last question: only UDP drops, which has no way to say "wait". */
  takeDropped(): number;
  stop(): Promise<void>;
}

export interface ListenerDeps {
  readonly source: SourceCredential;
  readonly collect: Extract<Collect, { kind: 'syslog' }>;
  readonly host: string;
  readonly tls: { readonly cert: string; readonly key: string };
  readonly queue: MessageQueue;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Syslog over UDP (RFC 5426), TCP (RFC 6587) or TLS (RFC 5425). */
export async function startSyslogListener(deps: ListenerDeps): Promise<Listener> {
  return deps.collect.transport === 'udp' ? listenUdp(deps) : listenStream(deps);
}

function reader({ source, clock, queue }: ListenerDeps): (line: string) => boolean {
  // Syslog has neither ids nor retransmission: two equal messages are two events.
  return (line) =>
    queue.offer({ ...syslogRecord(line, { product: source.product, now: clock.now() }), externalId: uuidv7() });
}

async function listenUdp(deps: ListenerDeps): Promise<Listener> {
  const isPeer = peerCheck(deps.collect.peers);
  const read = reader(deps);
  let dropped = 0;
  const socket = createSocket({ type: deps.host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: UDP_BUFFER_BYTES });
  socket.on('message', (message, { address }) => {
    if (!isPeer(address)) return;
    const line = message.toString('utf8').replace(/[\n\0]+$/, '');
    if (line !== '' && !read(line)) dropped += 1;
  });
  socket.bind(deps.collect.port, deps.host);
  await once(socket, 'listening');
  socket.on('error', (error) => deps.logger.warn({ err: error, source: deps.source.name }, 'a syslog socket failed'));
  return {
    takeDropped() {
      const count = dropped;
      dropped = 0;
      return count;
    },
    async stop() {
      const { promise, resolve } = Promise.withResolvers<void>();
      socket.close(() => resolve());
      await promise;
    },
  };
}

async function readConnection(
  socket: Socket,
  { queue, logger, source }: ListenerDeps,
  read: (line: string) => boolean,
) {
  const frames = new SyslogFrames();
  const take = async (lines: readonly string[]): Promise<void> => {
    for (const line of lines) {
      // Not reading on is how TCP says "wait": the sender keeps what we have no room for.
      while (!read(line)) await queue.room();
    }
  };
  try {
    for await (const chunk of socket) await take(frames.push(chunk as Buffer)); // no encoding is set
    await take(frames.end());
  } catch (error) {
    logger.debug({ err: error, source: source.name }, 'a syslog connection broke');
  }
}

async function listenStream(deps: ListenerDeps): Promise<Listener> {
  const isPeer = peerCheck(deps.collect.peers);
  const read = reader(deps);
  const open = new Set<Socket>();
  const accept = (socket: Socket): void => {
    if (!isPeer(socket.remoteAddress ?? '')) {
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.setTimeout(IDLE_MS_MAX, () => socket.destroy());
    socket.once('close', () => open.delete(socket));
    void readConnection(socket, deps, read);
  };
  const server: Server =
    deps.collect.transport === 'tls'
      ? createTlsServer({ ...deps.tls, minVersion: 'TLSv1.2' }, accept)
      : createTcpServer(accept);
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(deps.collect.port, deps.host);
  await once(server, 'listening');
  server.on('error', (error) => deps.logger.warn({ err: error, source: deps.source.name }, 'a syslog server failed'));
  return {
    takeDropped: () => 0,
    async stop() {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      for (const socket of open) socket.destroy();
      await promise;
    },
  };
}
