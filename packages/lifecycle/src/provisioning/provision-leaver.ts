import { z } from 'zod';
import type { Leaver, Outcome, Target } from '../leaver.ts';
import { takeAway } from './carry-out.ts';
import { listLinks, loadProvisionTarget, saveLink } from './provision-store.ts';
import { openClient, type ProvisionDeps } from './provision-workflow.ts';

const inputSchema = z.object({ targetId: z.string() });

/** The part of a leaver that lies in the targets people are pushed to. */
export interface ProvisionLeaver {
  find(leaver: Leaver): Promise<readonly Target[]>;
  /** @throws when the target can't be reached; it is tried again. */
  carryOut(leaver: Leaver, target: Target): Promise<Outcome>;
}

export const PROVISIONED = 'provisioned account';

export function createProvisionLeaver(deps: ProvisionDeps): ProvisionLeaver {
  const { db, clock } = deps;
  return {
    async find(leaver) {
      const links = await listLinks(db, { personId: leaver.id });
      const targets: Target[] = [];
      for (const link of links.filter(({ state }) => state !== 'ended')) {
        const target = await loadProvisionTarget(db, link.targetId);
        const base = {
          key: `provision/${target.id}`,
          kind: PROVISIONED,
          name: `${leaver.name} in ${target.name}`,
          act: target.onLeave === 'delete' ? 'Delete the account' : 'Turn the account off',
          input: { targetId: target.id },
        };
        if (target.kind === 'scim') {
          targets.push(base);
          continue;
        }
        // The leaver's task says it; the next plan of this target must not say it a second time.
        await saveLink(db, { ...link, state: 'left', at: clock.now() });
        targets.push({ ...base, task: `${target.name} has no interface: do it there, then say so here.` });
      }
      return targets;
    },

    async carryOut(leaver, { input }) {
      const { targetId } = inputSchema.parse(input);
      const target = await loadProvisionTarget(db, targetId);
      const [link] = await listLinks(db, { targetId, personId: leaver.id });
      if (!link || link.remoteId === null) return { state: 'nothing', detail: 'No account there is linked any more.' };
      const { remoteId, pushed } = link;
      const client = await openClient(deps, target);
      const carried = await takeAway(client, { remoteId, act: target.onLeave, pushed });
      if (carried.link) {
        await saveLink(db, {
          ...carried.link,
          targetId,
          personId: leaver.id,
          personName: leaver.name,
          at: clock.now(),
        });
      }
      return { state: carried.state, detail: carried.detail };
    },
  };
}
