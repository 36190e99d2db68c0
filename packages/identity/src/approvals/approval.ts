import type { ApprovedCall } from '@cordon/policy';

/** A request that a second person approve one call. */
export interface Approval {
  readonly id: string;
  readonly clientId: string;
  readonly integration: { readonly id: string; readonly name: string; readonly ownerId: string };
  /** `approvers`, or the id of the person who was asked. */
  readonly asked: string;
  readonly call: ApprovedCall;
  /** What the integration says it is for; the person reads it, nothing believes it. */
  readonly message: string | null;
  readonly status: 'pending' | 'approved' | 'denied';
  readonly decidedBy: { readonly id: string; readonly name: string } | null;
  readonly decidedAt: number | null;
  readonly reason: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** When the client fetched its token; null: not yet. */
  readonly tokenAt: number | null;
  readonly uses: number;
  readonly usesMax: number;
  readonly lastUsedAt: number | null;
}

export type ApprovalState = 'pending' | 'approved' | 'denied' | 'expired' | 'used';

/** What a person reads. */
export function stateOf(approval: Approval, now: number): ApprovalState {
  if (approval.status === 'denied') return 'denied';
  if (approval.uses >= approval.usesMax) return 'used';
  if (approval.status === 'pending' && approval.expiresAt <= now) return 'expired';
  return approval.status;
}
