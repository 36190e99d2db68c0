import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  uuidv7,
  type WorkflowClient,
} from '@cordon/kernel';
import { z } from 'zod';
import type { ActRun } from './act.ts';
import { insertRun, listRunsOf } from './act-store.ts';
import { actWorkflow } from './act-workflow.ts';
import { DiscoveryInputInvalid } from './errors.ts';

export const cutClientInput = z.strictObject({
  clientId: z.string().trim().min(1).max(300),
  reason: z.string().trim().min(3).max(1_000),
});

/** OAuth clients whose grants are to end, whatever software they belong to. */
export function createClientCommands(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
}) {
  const { db, clock, workflows } = deps;
  return {
    /** Takes away every grant that the client holds in a connected tool, by a durable workflow with evidence of each. */
    async cut(actor: Actor, raw: unknown): Promise<{ runId: string }> {
      authorize(actor, 'discovery.decide');
      const result = cutClientInput.safeParse(raw);
      if (!result.success) throw new DiscoveryInputInvalid(z.prettifyError(result.error));
      const { clientId, reason } = result.data;
      const at = clock.now();
      const runId = uuidv7(at);
      await db.transaction(async (tx) => {
        const subject = { type: 'client', id: clientId, name: clientId } as const;
        await insertRun(tx, { id: runId, subject, reason, startedBy: describeActor(actor).name, startedAt: at });
        await workflows.enqueue(tx, actWorkflow, `discovery:${runId}`, { runId });
        const target = { type: 'oauth_client', id: clientId, name: clientId };
        await appendAudit(tx, { actor, action: 'oauth_client.cut', target, detail: { reason, run: runId }, at });
      });
      return { runId };
    },

    /** What was done about clients, newest first. */
    runs: (): Promise<ActRun[]> => listRunsOf(db, { type: 'client' }),
  };
}
export type ClientCommands = ReturnType<typeof createClientCommands>;
