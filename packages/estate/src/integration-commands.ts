import {
  type Actor,
  appendAudit,
  authorize,
  authorizeOwn,
  describeActor,
  IntegrationId,
  isAllowed,
  type Transaction,
} from '@cordon/kernel';
import { refuseDuplicate } from './app-commands.ts';
import { parseInput } from './input.ts';
import type { EstateContext } from './context.ts';
import { insertCutOff } from './cut-off-store.ts';
import { cutOffWorkflow } from './cut-off.ts';
import { NameTaken, StateConflict } from './errors.ts';
import {
  defaultExpiry,
  type Integration,
  integrationInput,
  type IntegrationInput,
  integrationPatch,
  type IntegrationPatch,
  integrationSnapshotEntry,
} from './integration.ts';
import {
  findIntegration,
  insertIntegration,
  loadIntegration,
  lockIntegration,
  saveIntegration,
} from './integration-store.ts';
import { publish, type SnapshotPosition } from './publication.ts';

export interface CutOffResult {
  readonly integration: Integration;
  readonly cutOffId: string;
  /** Gateways that report this epoch refuse the integration. */
  readonly epoch: number;
}

const REASON_CHARS_MAX = 2_000;

function ownerOf(actor: Actor): { id: string; name: string } {
  const { id, name } = describeActor(actor);
  return { id: id ?? 'system', name };
}

/** Everything about integrations that changes state. */
export function createIntegrationCommands(context: EstateContext) {
  const { db, clock } = context;

  const audit = (tx: Transaction, actor: Actor, action: string, to: Integration, detail: Record<string, unknown>) =>
    appendAudit(tx, {
      actor,
      action,
      target: { type: 'integration', id: to.id, name: to.name },
      detail,
      at: clock.now(),
    });

  const endStatus = async (
    actor: Actor,
    id: string,
    status: 'suspended' | 'revoked',
    reason: string,
  ): Promise<CutOffResult> => {
    authorize(actor, 'integration.revoke');
    if (reason.trim().length < 3 || reason.length > REASON_CHARS_MAX) {
      throw new StateConflict(
        'Say why, in 3 to 2000 characters: the reason is shown to the owner and kept as evidence.',
      );
    }
    return db.transaction(async (tx) => {
      const before = await lockIntegration(tx, IntegrationId.parse(id));
      if (before.status === 'revoked') {
        throw new StateConflict(
          `${before.name} was cut off already: ${before.statusReason ?? 'no reason was recorded'}.`,
        );
      }
      const at = clock.now();
      const integration = { ...before, status, statusReason: reason, statusAt: at, updatedAt: at };
      await saveIntegration(tx, integration);
      await context.endAccess(tx, { integrationId: integration.id, actor, reason });
      const position: SnapshotPosition = await publish(tx, {
        set: [integrationSnapshotEntry(integration)],
        revokes: true,
        at,
      });
      await audit(tx, actor, `integration.${status}`, integration, { reason, epoch: position.epoch });
      const cutOffId = await insertCutOff(tx, { integrationId: integration.id, epoch: position.epoch, at });
      await context.workflows.enqueue(tx, cutOffWorkflow, `cut-off:${cutOffId}`, {
        cutOffId,
        epoch: position.epoch,
        decidedAt: at,
        integration: { id: integration.id, name: integration.name },
      });
      return { integration, cutOffId, epoch: position.epoch };
    });
  };

  return {
    async create(actor: Actor, raw: IntegrationInput): Promise<Integration> {
      authorize(actor, 'integration.write');
      const input = parseInput(integrationInput, raw);
      const at = clock.now();
      const integration: Integration = {
        id: IntegrationId.create(at),
        name: input.name,
        owner: input.owner ?? ownerOf(actor),
        backupOwner: input.backupOwner ?? null,
        orphanedUntil: null,
        purpose: input.purpose,
        kind: input.kind,
        status: 'active',
        statusReason: null,
        statusAt: at,
        expiresAt: input.expiresAt === undefined ? defaultExpiry(at) : input.expiresAt,
        assurance: input.assurance,
        createdAt: at,
        updatedAt: at,
      };
      const work = db.transaction(async (tx) => {
        if (await findIntegration(tx, { name: input.name })) {
          throw new NameTaken(`An integration named ${input.name} exists already.`, { name: input.name });
        }
        await insertIntegration(tx, integration);
        await publish(tx, { set: [integrationSnapshotEntry(integration)], at });
        await audit(tx, actor, 'integration.registered', integration, {
          purpose: integration.purpose,
          owner: integration.owner,
          expiresAt: integration.expiresAt,
        });
      });
      await refuseDuplicate(input.name, work);
      return integration;
    },

    async update(actor: Actor, id: string, raw: IntegrationPatch): Promise<Integration> {
      authorize(actor, 'integration.write');
      const patch = parseInput(integrationPatch, raw);
      return db.transaction(async (tx) => {
        const before = await lockIntegration(tx, IntegrationId.parse(id));
        authorizeOwn(actor, 'integration.write', before.owner.id);
        const at = clock.now();
        const after: Integration = {
          ...before,
          purpose: patch.purpose ?? before.purpose,
          expiresAt: patch.expiresAt === undefined ? before.expiresAt : patch.expiresAt,
          owner: patch.owner ?? before.owner,
          backupOwner: patch.backupOwner === undefined ? before.backupOwner : patch.backupOwner,
          // Whoever takes it over ends the wait.
          orphanedUntil: patch.owner === undefined ? before.orphanedUntil : null,
          assurance: patch.assurance ?? before.assurance,
          updatedAt: at,
        };
        await saveIntegration(tx, after);
        await publish(tx, { set: [integrationSnapshotEntry(after)], revokes: patch.assurance !== undefined, at });
        await audit(tx, actor, 'integration.updated', after, { changed: Object.keys(patch) });
        return after;
      });
    },

    /** Throws unless the actor may make and change credentials of this integration; identity asks before it does. */
    async checkCredentials(actor: Actor, id: string): Promise<void> {
      const integration = await loadIntegration(db, id);
      // Whoever only cuts off may end a credential of any integration: that command knows its own permission.
      if (!isAllowed(actor, 'integration.credential')) return;
      authorizeOwn(actor, 'integration.credential', integration.owner.id);
    },

    /** The off switch: every token and client ends, and every gateway refuses within a second. Undone by `restore`. */
    revoke: (actor: Actor, id: string, reason: string): Promise<CutOffResult> =>
      endStatus(actor, id, 'revoked', reason),

    /** As `revoke`, meant to be short: quarantine while someone looks. */
    suspend: (actor: Actor, id: string, reason: string): Promise<CutOffResult> =>
      endStatus(actor, id, 'suspended', reason),

    /** Undoes a cut-off. Old tokens stay dead: the integration obtains new ones. */
    async restore(actor: Actor, id: string, reason: string): Promise<Integration> {
      authorize(actor, 'integration.restore');
      return db.transaction(async (tx) => {
        const before = await lockIntegration(tx, IntegrationId.parse(id));
        if (before.status === 'active') throw new StateConflict(`${before.name} is active already.`);
        const at = clock.now();
        const after: Integration = { ...before, status: 'active', statusReason: reason, statusAt: at, updatedAt: at };
        await saveIntegration(tx, after);
        // The version's row is locked before the audit trail's head everywhere, or two commands could wait on each other.
        await publish(tx, { set: [integrationSnapshotEntry(after)], at });
        await context.restoreAccess(tx, { integrationId: after.id, actor });
        await audit(tx, actor, 'integration.restored', after, { reason });
        return after;
      });
    },
  };
}
