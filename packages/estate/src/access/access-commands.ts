import {
  type Actor,
  appendAudit,
  authorize,
  canonicalJson,
  type Clock,
  type Database,
  describeActor,
  uuidv7,
} from '@cordon/kernel';
import {
  type BuiltIn,
  type Entries,
  type LimitEntry,
  listEntries,
  parseEntry,
  parseEntryKey,
  type SnapshotEntry,
} from '@cordon/policy';
import { z } from 'zod';
import { InputInvalid, StateConflict } from '../errors.ts';
import type { Grant } from '../grant.ts';
import type { createGrantCommands } from '../grant-commands.ts';
import { listGrants } from '../grant-store.ts';
import { loadIntegration } from '../integration-store.ts';
import { type AccessChange, insertChange, loadChange, markUndone } from './access-store.ts';
import { type LimitCall, type LimitDecider, replayLimits } from './limit-change.ts';
import { type AccessProposal, proposeAccess } from './proposal.ts';
import { differ, replay, type Replay, type ReplayDetail, replayDetail, type ReplayGroup } from './replay.ts';
import { type AccessUse, accessUse, type OperationTable, type UseFact, type WindowDays, WINDOWS_DAYS } from './used.ts';

const DAY_MS = 86_400_000;
const CHANGED_MAX = 500;
/** What a replay may change; the rest of a snapshot isn't a decision. */
const CHANGEABLE = new Set(['grant', 'policy', 'inspection', 'limit']);

interface Scope {
  readonly from: number;
  readonly to: number;
  readonly integrationId?: string;
  readonly appId?: string;
}

/** What least privilege asks of the lake and of the snapshot; the composition root answers. */
export interface AccessPorts {
  usage(scope: Scope): Promise<readonly (UseFact & { readonly integrationId: string })[]>;
  callGroups(scope: Scope, detail: ReplayDetail): Promise<readonly ReplayGroup[]>;
  /** Every call of the scope, in the order in which they came. */
  timedCalls(scope: Scope): Promise<readonly LimitCall[]>;
  /** Counters of their own for these limits, which count as a gateway's do. */
  limitDecider(limits: readonly LimitEntry[]): LimitDecider;
  /** When the oldest recorded event was; null: there are none. */
  oldestAt(): Promise<number | null>;
  /** Operations of these apps. */
  operations(appIds: readonly string[]): Promise<OperationTable>;
  entries(): Promise<Entries>;
  readonly builtIn: BuiltIn;
}

export const whatIfInput = z.strictObject({
  /** Entries as they would be, by key: `grant:ID`, `policy:ID`, `inspection:ID`; or `limit:ID` alone. */
  set: z.record(z.string().max(200), z.unknown()).default({}),
  /** Keys that would go. */
  remove: z.array(z.string().max(200)).max(CHANGED_MAX).default([]),
  days: z.int().min(1).max(400).default(90),
  integrationId: z.uuid().optional(),
  appId: z.uuid().optional(),
});
export type WhatIfInput = z.input<typeof whatIfInput>;

export interface WhatIfAnswer extends Replay {
  readonly from: number;
  readonly to: number;
  /** Groups that were decided: how much the calls had in common. */
  readonly groups: number;
}

function changed(entries: Entries, input: z.output<typeof whatIfInput>): Entries {
  const after = new Map<string, SnapshotEntry>(entries);
  const check = (key: string): void => {
    const kind = parseEntryKey(key)?.kind;
    if (kind === undefined || !CHANGEABLE.has(kind)) {
      throw new InputInvalid(`A replay can change ${[...CHANGEABLE].join(', ')}, and "${key}" is none of them.`, {
        key,
      });
    }
  };
  for (const key of input.remove) {
    check(key);
    if (!after.delete(key)) throw new InputInvalid(`There is no entry ${key} to remove.`, { key });
  }
  for (const [key, value] of Object.entries(input.set)) {
    check(key);
    after.set(key, parseEntry(key, value));
  }
  return after;
}

/** Whether any entry of a kind differs between the two. */
function isChanged(before: Entries, after: Entries, kind: string): boolean {
  const keys = new Set([...before.keys(), ...after.keys()].filter((key) => key.startsWith(`${kind}:`)));
  return [...keys].some((key) => canonicalJson(before.get(key) ?? null) !== canonicalJson(after.get(key) ?? null));
}

export function createAccessCommands(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly ports: AccessPorts;
  readonly grants: ReturnType<typeof createGrantCommands>;
}) {
  const { db, clock, ports, grants: grantCommands } = deps;

  const look = async (integrationId: string) => {
    const [integration, grants] = [await loadIntegration(db, integrationId), await listGrants(db, { integrationId })];
    const now = clock.now();
    const oldest = await ports.oldestAt();
    const use = new Map<WindowDays, readonly UseFact[]>();
    for (const days of WINDOWS_DAYS) {
      use.set(days, await ports.usage({ from: now - days * DAY_MS, to: now + 1, integrationId: integration.id }));
    }
    const appIds = [...grants, ...[...use.values()].flat()].map(({ appId }) => appId);
    const table = await ports.operations([...new Set(appIds)]);
    return { integration, grants, table, used: accessUse({ grants, table, use, observedSince: oldest, now }) };
  };

  const propose = async (integrationId: string, windowDays: WindowDays, withMargin: boolean) => {
    const { integration, grants, table, used } = await look(integrationId);
    const { operations, observedDays, observedSince } = used;
    if (observedSince === null) {
      throw new StateConflict(
        'No traffic has been recorded yet: what is used is unknown, and nothing can be proposed.',
      );
    }
    const input = { grants, operations, table, windowDays, withMargin, observedDays };
    return { integration, grants, proposal: proposeAccess({ integrationId: integration.id, ...input }) };
  };

  /** Limits see each call and what came before it; so they are counted anew, and on their own. */
  const whatIfLimits = async (scope: Scope, before: Entries, after: Entries): Promise<WhatIfAnswer> => {
    if (['grant', 'policy', 'inspection'].some((kind) => isChanged(before, after, kind))) {
      throw new InputInvalid('Limits are replayed on their own: ask about them and about the rest in turn.');
    }
    const calls = await ports.timedCalls(scope);
    const [was, is] = [before, after].map((entries) => ports.limitDecider(listEntries(entries, 'limit')));
    const answer = replayLimits(calls, was!, is!); // two sets of entries
    return { ...answer, from: scope.from, to: scope.to, groups: calls.length };
  };

  const whatIf = async (actor: Actor, raw: WhatIfInput): Promise<WhatIfAnswer> => {
    authorize(actor, 'access.read');
    const input = whatIfInput.parse(raw);
    const before = await ports.entries();
    const after = changed(before, input);
    const detail = replayDetail(before, after, ports.builtIn);
    const to = clock.now() + 1;
    const { integrationId, appId } = input;
    const scope = {
      from: to - input.days * DAY_MS,
      to,
      ...(integrationId ? { integrationId } : {}),
      ...(appId ? { appId } : {}),
    };
    if (differ(before, after, 'limit')) return whatIfLimits(scope, before, after);
    const groups = await ports.callGroups(scope, detail);
    const table = await ports.operations([...new Set(groups.map((group) => group.appId))]);
    const answer = replay({ before, after, builtIn: ports.builtIn, table, detail, groups });
    return { ...answer, from: scope.from, to, groups: groups.length };
  };

  return {
    /** Granted against used, for each operation, over 30, 90 and 180 days. */
    async used(actor: Actor, integrationId: string): Promise<AccessUse> {
      authorize(actor, 'access.read');
      return (await look(integrationId)).used;
    },

    async propose(actor: Actor, integrationId: string, options: { windowDays: WindowDays; withMargin: boolean }) {
      authorize(actor, 'access.read');
      const { proposal } = await propose(integrationId, options.windowDays, options.withMargin);
      return proposal;
    },

    whatIf,

    /** What the proposal would have refused in the window, and in what the lake holds beyond it. */
    async whatIfProposed(actor: Actor, proposal: AccessProposal): Promise<WhatIfAnswer> {
      const entries = await ports.entries();
      const set: Record<string, unknown> = {};
      const remove: string[] = [];
      for (const { grantId, after, change } of proposal.grants) {
        const key = `grant:${grantId}`;
        const entry = entries.get(key);
        if (entry === undefined || change === 'keep') continue;
        if (change === 'remove') remove.push(key);
        else set[key] = { ...entry, select: after };
      }
      return whatIf(actor, { set, remove, days: 180, integrationId: proposal.integrationId });
    },

    /** Applies a proposal as it was shown. Undone by `undo`. */
    async apply(
      actor: Actor,
      integrationId: string,
      options: { readonly windowDays: WindowDays; readonly withMargin: boolean; readonly digest: string },
    ): Promise<AccessChange> {
      authorize(actor, 'access.apply');
      const { integration, grants, proposal } = await propose(integrationId, options.windowDays, options.withMargin);
      if (proposal.digest !== options.digest) {
        throw new StateConflict('The grants or their use have changed since the proposal was shown. Look again.');
      }
      const changes = proposal.grants.filter(({ change }) => change !== 'keep');
      if (changes.length === 0)
        throw new StateConflict('Everything that is granted is used: there is nothing to change.');
      const [before, after]: [Grant[], Grant[]] = [[], []];
      for (const { grantId, change, after: select } of changes) {
        const grant = grants.find(({ id }) => id === grantId);
        if (!grant) continue;
        before.push(grant);
        if (change === 'remove') await grantCommands.remove(actor, grantId);
        else after.push(await grantCommands.put(actor, { ...inputOf(grant), select: [...select] }));
      }
      const at = clock.now();
      const target = { type: 'integration', id: integration.id, name: integration.name };
      return db.transaction(async (tx) => {
        const by = describeActor(actor).name;
        const change = {
          id: uuidv7(at),
          integrationId: integration.id,
          proposal,
          before,
          after,
          createdAt: at,
          createdBy: by,
        };
        const saved = await insertChange(tx, change);
        const detail = {
          change: change.id,
          digest: proposal.digest,
          grants: changes.map(({ name, change: how }) => [name, how]),
        };
        await appendAudit(tx, { actor, action: 'access.applied', target, detail, at });
        return saved;
      });
    },

    /** Gives back the grants as they were before. Refused once somebody has changed them since. */
    async undo(actor: Actor, changeId: string): Promise<AccessChange> {
      authorize(actor, 'access.apply');
      const change = await loadChange(db, changeId);
      if (change.undoneAt !== null) throw new StateConflict('This change was undone already.');
      const now = await listGrants(db, { integrationId: change.integrationId });
      for (const grant of change.before) {
        const here = now.find(({ appId, name }) => appId === grant.appId && name === grant.name);
        const left = change.after.find(({ appId, name }) => appId === grant.appId && name === grant.name);
        // jsonb keeps its own order of members: only the canonical texts can be compared.
        if (canonicalJson(here?.select ?? null) !== canonicalJson(left?.select ?? null)) {
          throw new StateConflict(`The grant ${grant.name} was changed since: decide by hand what it should be.`);
        }
      }
      for (const grant of change.before) await grantCommands.put(actor, inputOf(grant));
      const at = clock.now();
      const integration = await loadIntegration(db, change.integrationId);
      return db.transaction(async (tx) => {
        const saved = await markUndone(tx, changeId, describeActor(actor).name, at);
        const target = { type: 'integration', id: integration.id, name: integration.name };
        await appendAudit(tx, { actor, action: 'access.undone', target, detail: { change: changeId }, at });
        return saved;
      });
    },
  };
}
export type AccessCommands = ReturnType<typeof createAccessCommands>;

function inputOf({ integrationId, appId, name, select, resourceScope, expiresAt }: Grant) {
  return { integrationId, appId, name, select, resourceScope, expiresAt };
}
