import { createSecretEnvelope, openDatabase, openWorkflowClient, startWorkflows, systemClock } from '@cordon/kernel';
import { createTestLogger } from '@cordon/kernel/testing';
import { createDrillWorkflow } from './live-fire.ts';
import type { DrillPorts } from './ports.ts';

/** A worker of its own for live-fire-kill.db.test.ts, which kills it: the outside is the test's HTTP server. */
const [databaseUrl = '', outside = ''] = process.argv.slice(2);
const logger = createTestLogger();

async function ask(path: string, args: readonly unknown[]): Promise<unknown> {
  const answer = await fetch(`${outside}/${path}`, { method: 'POST', body: JSON.stringify(args) });
  if (!answer.ok) throw new Error(await answer.text());
  return ((await answer.json()) as { value: unknown }).value;
}

const names = ['makeSource', 'deliver', 'gateways', 'call', 'observe', 'approve', 'remove', 'settle'] as const;
const remote = Object.fromEntries(names.map((name) => [name, (...args: unknown[]) => ask(name, args)]));
const makeVictim: DrillPorts['makeVictim'] = async (drill, operations, keep) => {
  const victim = await ask('makeVictim', [drill, operations]);
  await keep({ kind: 'app', ref: 'app', name: drill.name, sealed: null });
  await keep({ kind: 'integration', ref: 'integration', name: drill.name, sealed: null });
  return victim as Awaited<ReturnType<DrillPorts['makeVictim']>>; // the test's server answers with this very shape
};

const db = openDatabase({ url: databaseUrl, logger });
const client = await openWorkflowClient({ databaseUrl, logger });
await startWorkflows({
  databaseUrl,
  logger,
  executorId: 'worker',
  definitions: [
    createDrillWorkflow({
      db,
      clock: systemClock,
      logger,
      envelope: createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] }),
      // The test's server answers with the shapes of these very functions.
      ports: { ...remote, makeVictim } as unknown as DrillPorts,
    }),
  ],
});
process.stdout.write('ready\n');
process.on('SIGTERM', () => void client.close().then(() => process.exit(0)));
