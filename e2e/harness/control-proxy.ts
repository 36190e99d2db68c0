import { once } from 'node:events';
import { createServer, request as send, type ServerResponse } from 'node:http';

/** Stands between gateways and control and loses what control would tell them by itself: the stream of deltas. */
export interface ControlProxy {
  readonly url: string;
  /** From now on streams stay open but carry nothing, as when a notification is lost on the way. */
  mute(): void;
  unmute(): void;
  /** Streams that are open and silent now. */
  readonly silent: () => number;
  stop(): Promise<void>;
}

export async function startControlProxy(port: number, controlPort: number): Promise<ControlProxy> {
  let muted = false;
  const streams = new Set<ServerResponse>();
  const silent = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    const lasting = (request.url ?? '').includes('/stream?') && !(request.url ?? '').includes('wait=0');
    if (lasting) {
      streams.add(response);
      response.once('close', () => [streams, silent].forEach((set) => set.delete(response)));
      if (muted) {
        silent.add(response);
        response.writeHead(200, { 'content-type': 'application/x-ndjson' }).flushHeaders();
        return;
      }
    }
    const { method, url, headers } = request;
    const onward = send({ host: '127.0.0.1', port: controlPort, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      answer.once('error', () => response.destroy());
    });
    onward.once('error', () => response.destroy());
    response.once('close', () => onward.destroy());
    request.pipe(onward);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${port}`,
    mute() {
      muted = true;
      for (const stream of streams) stream.destroy();
    },
    unmute() {
      muted = false;
      for (const stream of silent) stream.destroy();
    },
    silent: () => silent.size,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
