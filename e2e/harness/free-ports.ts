import { once } from 'node:events';
import { createServer } from 'node:net';

/** The first of a run of adjacent free ports: all are held open together while they are chosen. */
export async function freePorts(count: number): Promise<number> {
  for (let first = 20_000 + Math.floor(Math.random() * 10_000); ; first += count) {
    const servers = Array.from({ length: count }, () => createServer());
    const opened = await Promise.all(
      servers.map(async (server, index) => {
        server.listen(first + index, '127.0.0.1');
        return once(server, 'listening').then(
          () => true,
          () => false,
        );
      }),
    );
    const held = servers.filter((_, index) => opened[index]);
    await Promise.all(held.map((server) => new Promise((done) => server.close(done))));
    if (!opened.includes(false)) return first;
  }
}
