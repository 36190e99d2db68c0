/**
 * Entry of the embedded engine's own process (chDB crashes worker threads and an engine that dies must not take a role
 * with it). `spawnLake` starts it; configuration comes as the first IPC message, so that no password is in argv.
 */
import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '@cordon/kernel';
import { z } from 'zod';
import { type Engine, openEngine } from './embedded-engine.ts';
import { serveEngine } from './embedded-server.ts';

const LOCK_WAIT_MS = 250;
const LOCK_TRIES_MAX = 60;

const configuration = z.object({
  dataDir: z.string().min(1),
  port: z.int().min(0).max(65_535),
  username: z.string().min(1),
  password: z.string().min(16),
  databases: z.array(z.string().regex(/^[a-z][a-z0-9_]*$/)),
  logLevel: z.string(),
  limits: z.object({
    readSlots: z.int().positive(),
    writeSlots: z.int().positive(),
    waitersMax: z.int().positive(),
    queryMemoryBytesMax: z.int().positive(),
    querySecondsMax: z.int().positive(),
    resultBytesMax: z.int().positive(),
  }),
});

/** A predecessor that was killed may take a moment to let go of the lock, which the system holds for it. */
async function openWhenFree(config: z.infer<typeof configuration>): Promise<Engine> {
  for (let tries = 1; ; tries++) {
    try {
      return await openEngine(config.dataDir, config.databases, config.limits);
    } catch (error) {
      if (tries >= LOCK_TRIES_MAX) throw error;
      await sleep(LOCK_WAIT_MS);
    }
  }
}

async function main(message: unknown): Promise<void> {
  const config = configuration.parse(message);
  const logger = createLogger({ role: 'lake', level: config.logLevel });
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const engine = await openWhenFree(config);
  const server = await serveEngine(
    { engine, username: config.username, password: config.password, logger },
    config.port,
  );
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await server.close();
    await engine.close();
    process.exit(0);
  };
  const onStop = () => {
    stop().catch((error: unknown) => {
      logger.error({ err: error }, 'the lake did not stop cleanly');
      process.exit(1);
    });
  };
  process.on('SIGTERM', onStop);
  process.on('SIGINT', onStop);
  // Without a supervisor nobody knows the port: end rather than hold the lock.
  process.on('disconnect', onStop);
  process.send?.({ ready: true, port: server.port });
  logger.info({ port: server.port, version: engine.version }, 'the lake is ready');
}

process.once('message', (message) => {
  main(message).catch((error: unknown) => {
    process.send?.({ ready: false, error: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
    process.disconnect?.();
  });
});
