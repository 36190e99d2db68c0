import { type Actor, appendAudit, authorize, isAllowed, PersonId, StepUpRequired, uuidv7 } from '@cordon/kernel';
import type { ApprovedCall } from '@cordon/policy';
import { type IdentityContext, tablesOf } from '../context.ts';
import { ApprovalNotFound, ApprovalOver, ApprovalOwn, ApprovalUnavailable, SessionRequired } from '../errors.ts';
import { entityManagementEvent } from '../events.ts';
import { findPerson, findPersonByLogin } from '../people/person-store.ts';
import type { Principal } from '../sessions/session.ts';
import { hashSecret } from '../token-secret.ts';
import type { Approval } from './approval.ts';
import {
  claimApprovalToken,
  countWaiting,
  findApproval,
  insertApproval,
  listApprovals,
  lockApproval,
  saveDecision,
  takeUse,
} from './approval-store.ts';

/** A passkey must have been shown for this very decision, or nearly. */
const PASSKEY_AGE_MS_MAX = 120_000;
/** A client that asks for more at once wears its approvers out. */
const WAITING_MAX = 20;
const ANYONE = 'approvers';

export function approvalContext(id: string): string {
  return `identity.approval:${id}`;
}

/** What the authorization server does when a person has decided: the waiting client's next poll gets the answer. */
export interface BackchannelAnswers {
  /** Makes the grant whose id the token will carry. Nothing may use it before `release`. */
  prepare(input: { readonly clientId: string; readonly personId: string }): Promise<{ readonly grantId: string }>;
  release(
    authReqId: string,
    answer:
      | {
          readonly grantId: string;
          readonly personId: string;
          readonly call: ApprovedCall;
          readonly amr: readonly string[];
          readonly at: number;
        }
      | { readonly denied: string },
  ): Promise<void>;
}

export interface Approvals {
  /** The account that a login hint names: `approvers`, or the id of a person who may approve; undefined: nobody. */
  findApprover(hint: string): Promise<string | undefined>;
  mayAsk(client: object): Promise<boolean>;
  ask(input: {
    readonly client: object & { readonly clientId: string };
    readonly authReqId: string;
    readonly asked: string;
    readonly call: ApprovedCall;
    readonly message: string | null;
    readonly expiresAt: number;
  }): Promise<void>;
  list(actor: Actor, before?: string): Promise<Approval[]>;
  get(actor: Actor, id: string): Promise<Approval>;
  decide(principal: Principal, id: string, verdict: 'approved' | 'denied', reason: string): Promise<Approval>;
  /** Whether the token of a grant may be issued: true once. */
  claimToken(grantId: string): Promise<boolean>;
  /** Takes one use of an approved token, by the hex SHA-256 of it. False: it has none left, or never had. */
  consume(tokenSha256: string, requestId: string): Promise<boolean>;
}

function integrationOf(client: object): string | null {
  const id: unknown = 'cordon_integration_id' in client ? client.cordon_integration_id : null;
  return typeof id === 'string' ? id : null;
}

/** Who sees everything; others see what their own integrations asked for. */
function seesAll(actor: Actor): boolean {
  return isAllowed(actor, 'approval.decide') || isAllowed(actor, 'audit.read');
}

/** @param answers undefined in a process that runs no authorization server. */
export function createApprovals(context: IdentityContext, answers: () => BackchannelAnswers | undefined): Approvals {
  const { db, clock, envelope, emit } = context;

  const report = (
    activity: 'create' | 'update' | 'other',
    approval: Approval,
    actor: Actor,
    reason: string,
    severity: 'informational' | 'low' | 'medium' = 'informational',
  ): void =>
    emit(
      entityManagementEvent(activity, {
        at: clock.now(),
        outcome: 'success',
        severity,
        actor,
        reason,
        entity: { type: 'approval', id: approval.id, name: `${approval.call.app} ${approval.call.operation}` },
        integrationId: approval.integration.id,
      }),
    );

  const checkDecider = (principal: Principal, approval: Approval): Extract<Actor, { kind: 'person' }> => {
    const { actor, session } = principal;
    if (actor.kind !== 'person' || session?.stage !== 'full') {
      throw new SessionRequired('Approve in a browser session: an API token is no second person.');
    }
    if (actor.id === approval.integration.ownerId) {
      throw new ApprovalOwn('You own this integration. Another person has to approve what it does.');
    }
    if (approval.asked !== ANYONE && approval.asked !== actor.id) {
      throw new ApprovalOwn('The integration asked another person.');
    }
    const fresh = session.strongAuthAt !== null && clock.now() - session.strongAuthAt <= PASSKEY_AGE_MS_MAX;
    if (!fresh || session.amr.at(-1) !== 'hwk') {
      throw new StepUpRequired('Confirm with your passkey, then decide.', {
        permission: 'approval.decide',
        step_up: true,
        passkey: true,
      });
    }
    return actor;
  };

  return {
    async findApprover(hint) {
      if (hint === ANYONE) return ANYONE;
      const person = await findPersonByLogin(tablesOf(db), hint);
      if (!person || person.status !== 'active') return undefined;
      return isAllowed({ kind: 'person', ...person }, 'approval.decide') ? person.id : undefined;
    },

    async mayAsk(client) {
      const id = integrationOf(client);
      const clientId = 'clientId' in client && typeof client.clientId === 'string' ? client.clientId : '';
      if (id === null || !(await context.findIntegration?.(id))?.active) return false;
      return (await countWaiting(tablesOf(db), clientId, clock.now())) < WAITING_MAX;
    },

    async ask({ client, authReqId, asked, call, message, expiresAt }) {
      const integrationId = integrationOf(client);
      const facts = integrationId === null ? null : await context.findIntegration?.(integrationId);
      if (integrationId === null || !facts) throw new ApprovalUnavailable('This client belongs to no integration.');
      const at = clock.now();
      const id = uuidv7(at);
      const approval: Approval = {
        id,
        clientId: client.clientId,
        integration: { id: integrationId, name: facts.name, ownerId: facts.ownerId },
        asked,
        call,
        message,
        status: 'pending',
        decidedBy: null,
        decidedAt: null,
        reason: null,
        createdAt: at,
        expiresAt,
        tokenAt: null,
        uses: 0,
        usesMax: call.count,
        lastUsedAt: null,
      };
      const actor: Actor = { kind: 'client', id: client.clientId, name: facts.name, roles: [] };
      await db.transaction(async (tx) => {
        await insertApproval(tablesOf(tx), approval, envelope.seal(authReqId, approvalContext(id)));
        const target = { type: 'approval', id, name: `${call.app} ${call.operation}` };
        await appendAudit(tx, { actor, action: 'approval.asked', target, detail: { call, asked, message }, at });
      });
      report('create', approval, actor, `${facts.name} asks to have ${call.operation} on ${call.app} approved.`);
    },

    async list(actor, before) {
      authorize(actor, 'approval.read');
      const own = seesAll(actor) || actor.kind === 'system' ? {} : { ownerId: actor.id };
      return listApprovals(tablesOf(db), { ...own, before });
    },

    async get(actor, id) {
      authorize(actor, 'approval.read');
      const approval = await findApproval(tablesOf(db), id);
      const own = actor.kind !== 'system' && approval?.integration.ownerId === actor.id;
      if (!approval || !(own || seesAll(actor))) throw new ApprovalNotFound('There is no such approval.');
      return approval;
    },

    async decide(principal, id, verdict, reason) {
      authorize(principal.actor, 'approval.decide');
      const channel = answers();
      if (!channel) throw new ApprovalUnavailable('not available: this process runs no authorization server');
      const at = clock.now();
      const found = await findApproval(tablesOf(db), id);
      if (!found) throw new ApprovalNotFound('There is no such approval.');
      const actor = checkDecider(principal, found);
      const grant =
        verdict === 'approved' ? await channel.prepare({ clientId: found.clientId, personId: actor.id }) : null;
      const { sealedRequest } = await db.transaction(async (tx) => {
        const locked = await lockApproval(tablesOf(tx), id);
        if (!locked || locked.approval.status !== 'pending') throw new ApprovalOver('This was decided already.');
        if (locked.approval.expiresAt <= at) throw new ApprovalOver('This is over: the integration has to ask again.');
        const grantHash = grant && hashSecret(grant.grantId);
        await saveDecision(tablesOf(tx), id, { status: verdict, by: actor, reason, at, grantHash });
        const target = { type: 'approval', id, name: `${found.call.app} ${found.call.operation}` };
        const detail = { reason, call: found.call, integrationId: found.integration.id };
        await appendAudit(tx, { actor, action: `approval.${verdict}`, target, detail, at });
        return locked;
      });
      const authReqId = envelope.open(sealedRequest, approvalContext(id)).toString('utf8');
      const amr = principal.session?.amr ?? [];
      await channel.release(
        authReqId,
        grant ? { grantId: grant.grantId, personId: actor.id, call: found.call, amr, at } : { denied: reason },
      );
      const decided = await findApproval(tablesOf(db), id);
      if (!decided) throw new ApprovalNotFound('There is no such approval.');
      report('update', decided, actor, `${actor.name} ${verdict} it: ${reason}`, 'low');
      return decided;
    },

    claimToken: (grantId) => claimApprovalToken(tablesOf(db), hashSecret(grantId), clock.now()),

    async consume(tokenSha256, requestId) {
      if (!/^[0-9a-f]{64}$/.test(tokenSha256)) return false;
      const at = clock.now();
      const used = await db.transaction(async (tx) => {
        const approval = await takeUse(tablesOf(tx), Buffer.from(tokenSha256, 'hex'), at);
        if (!approval) return undefined;
        const actor: Actor = { kind: 'client', id: approval.clientId, name: approval.integration.name, roles: [] };
        const target = { type: 'approval', id: approval.id };
        const detail = { requestId, use: approval.uses, of: approval.usesMax };
        await appendAudit(tx, { actor, action: 'approval.used', target, detail, at });
        return approval;
      });
      return used !== undefined;
    },
  };
}

/** Whether an account of the authorization server exists: a person who may approve, or nobody in particular. */
export async function isApprover(context: IdentityContext, id: string): Promise<boolean> {
  if (id === ANYONE) return true;
  if (!/^[0-9a-f-]{36}$/.test(id)) return false;
  const person = await findPerson(tablesOf(context.db), PersonId.parse(id));
  return person?.status === 'active';
}
