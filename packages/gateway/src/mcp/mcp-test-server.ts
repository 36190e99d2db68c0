import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import path from 'node:path';

const START_MS_MAX = 20_000;

export interface EverythingServer {
  readonly url: string;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return typeof address === 'object' && address ? address.port : 0;
}

/** The official reference server over Streamable HTTP, in a process of its own with the given environment. */
export async function startEverythingServer(env: Readonly<Record<string, string>>): Promise<EverythingServer> {
  const port = await freePort();
  const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/package.json');
  const child: ChildProcess = spawn(
    process.execPath,
    [path.join(path.dirname(manifest), 'dist', 'index.js'), 'streamableHttp'],
    { env: { PATH: '/usr/bin:/bin', ...env, PORT: String(port) }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('server-everything did not start')), START_MS_MAX);
    child.stderr?.on('data', (chunk: Buffer) => {
      if (!/listening on port/i.test(chunk.toString('utf8'))) return;
      clearTimeout(late);
      resolve();
    });
    child.once('exit', (code) => reject(new Error(`server-everything ended with ${code}`)));
  });
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
