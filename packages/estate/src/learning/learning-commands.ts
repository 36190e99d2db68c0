import { createOperations } from '@cordon/openapi';
import { type Actor, AppId, appendAudit, authorize, authorizeOwn } from '@cordon/kernel';
import { z } from 'zod';
import { type createAppCommands, NOBODY } from '../app-commands.ts';
import type { App } from '../app.ts';
import { loadApp, readBlob } from '../app-store.ts';
import type { EstateContext } from '../context.ts';
import { StateConflict } from '../errors.ts';
import { parseInput } from '../input.ts';
import { deleteTraffic, listTraffic } from './learning-store.ts';
import { type LearningProposal, makeProposal } from './proposal.ts';

const TEACHERS_MAX = 100;
/** The version that learned descriptions carry: one of them may take the place of another. */
const OBSERVED = '0-observed';

export const proposalInput = z.strictObject({
  /** Integrations whose calls don't count, by id. */
  without: z.array(z.string().max(128)).max(TEACHERS_MAX).default([]),
  /** Bodies of requests may hold only members that were seen. */
  closed: z.boolean().default(false),
});

export const acceptInput = proposalInput.extend({
  /** Of the proposal that was looked at. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** A description that somebody wrote is only replaced when asked for. */
  replace: z.boolean().default(false),
});

/** What traffic teaches about an app's API, and how it becomes its description: only by a person. */
export function createLearningCommands(
  context: EstateContext,
  apps: Pick<ReturnType<typeof createAppCommands>, 'setDescription' | 'update'>,
) {
  const { db, clock } = context;

  const propose = async (app: App, input: z.output<typeof proposalInput>): Promise<LearningProposal> => {
    const { upstream } = app.settings;
    const blob = app.description ? await readBlob(db, app.description.sha256) : null;
    const current = blob ? createOperations(blob, { upstream }) : null;
    return makeProposal(await listTraffic(db, app.id), current, { ...input, title: app.title, upstream });
  };

  return {
    async proposal(actor: Actor, id: string, raw: unknown): Promise<LearningProposal> {
      authorize(actor, 'app.read');
      return propose(await loadApp(db, AppId.parse(id)), parseInput(proposalInput, raw));
    },

    /**
     * Makes a proposal the app's description, in observe mode: calls that don't fit are noted, none is refused for it.
     *
     * @throws {StateConflict} it isn't the proposal that was looked at any more, or would replace a written description
     */
    async accept(actor: Actor, id: string, raw: unknown): Promise<App> {
      authorize(actor, 'app.write');
      const { digest, replace, ...input } = parseInput(acceptInput, raw);
      const app = await loadApp(db, AppId.parse(id));
      authorizeOwn(actor, 'app.write', app.owner?.id ?? NOBODY);
      const proposal = await propose(app, input);
      if (proposal.operations.length === 0) throw new StateConflict('Nothing was learned of this app yet.');
      if (proposal.digest !== digest) {
        throw new StateConflict('Calls since then changed the proposal. Look at it again.', {
          digest: proposal.digest,
        });
      }
      if (app.description && app.description.version !== OBSERVED && !replace) {
        throw new StateConflict('The app has a description that somebody gave. Say that it is to be replaced.');
      }
      // First observe, then the description: in between nothing may be refused by what nobody has seen at work.
      await apps.update(actor, id, { validateRequests: 'observe', validateResponses: 'observe' });
      const changed = await apps.setDescription(actor, id, Buffer.from(JSON.stringify(proposal.description), 'utf8'));
      const at = clock.now();
      const teachers = proposal.teachers.filter(({ isLeftOut }) => !isLeftOut).map(({ id: teacher }) => teacher);
      await db.transaction((tx) =>
        appendAudit(tx, {
          actor,
          action: 'app.description_learned',
          target: { type: 'app', id: app.id, name: app.name },
          detail: { digest, calls: proposal.calls, operations: proposal.operations.length, teachers },
          at,
        }),
      );
      return changed;
    },

    /** Drops what one integration taught, or all of it. */
    async forget(actor: Actor, id: string, integrationId: string | null): Promise<void> {
      authorize(actor, 'app.write');
      const app = await loadApp(db, AppId.parse(id));
      authorizeOwn(actor, 'app.write', app.owner?.id ?? NOBODY);
      await db.transaction(async (tx) => {
        const count = await deleteTraffic(tx, app.id, integrationId);
        await appendAudit(tx, {
          actor,
          action: 'app.lessons_forgotten',
          target: { type: 'app', id: app.id, name: app.name },
          detail: { integration: integrationId, count },
          at: clock.now(),
        });
      });
    },
  };
}
