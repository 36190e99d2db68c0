import { openDatabase, openWorkflowClient, startWorkflows, systemClock } from '@cordon/kernel';
import { createTestLogger } from '@cordon/kernel/testing';
import { createActionTable } from '../actions/action-table.ts';
import type { ActPorts, ReadPorts } from '../actions/ports.ts';
import { createRunWorkflow } from './run-workflow.ts';

/** A worker of its own for run-kill.db.test.ts, which kills it: the outside is the test's HTTP server. */
const [databaseUrl = '', outside = ''] = process.argv.slice(2);
const logger = createTestLogger();

async function ask(path: string, args: readonly unknown[]): Promise<unknown> {
  const body = JSON.stringify(args.filter((one) => !(one instanceof AbortSignal)));
  const answer = await fetch(`${outside}/${path}`, { method: 'POST', body });
  if (!answer.ok) throw new Error(await answer.text());
  return ((await answer.json()) as { value: unknown }).value;
}

const remote = (path: string): unknown =>
  new Proxy(() => undefined, {
    get: (_target, name) => (typeof name === 'symbol' || name === 'then' ? undefined : remote(`${path}/${name}`)),
    apply: (_target, _self, args: unknown[]) => ask(path, args),
  });

const db = openDatabase({ url: databaseUrl, logger });
const client = await openWorkflowClient({ databaseUrl, logger });
await startWorkflows({
  databaseUrl,
  logger,
  executorId: 'worker',
  definitions: [
    createRunWorkflow({
      db,
      clock: systemClock,
      logger,
      actions: createActionTable(),
      // The test's server answers with the shapes of these very interfaces.
      transport: { reads: remote('reads') as ReadPorts, acts: remote('acts') as ActPorts },
      findPlaybook: () => Promise.resolve(null),
    }),
  ],
});
process.stdout.write('ready\n');
process.on('SIGTERM', () => void client.close().then(() => process.exit(0)));
