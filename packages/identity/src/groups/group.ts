import type { Role } from '@cordon/kernel';
import type { GroupBy } from './access-tables.ts';

/** People who are given the same. The directory keeps some of them, people here the others. */
export interface Group {
  readonly id: string;
  readonly displayName: string;
  readonly description: string;
  /** Who decides who is in. */
  readonly keptBy: 'directory' | 'cordon';
  /** Approves who comes in for a while; null: an owner of Cordon does. */
  readonly owner: { readonly id: string; readonly name: string } | null;
  readonly members: number;
  readonly roles: readonly Role[];
}

export interface GroupPerson {
  readonly id: string;
  readonly name: string;
  readonly login: string;
  readonly status: 'invited' | 'active' | 'disabled';
  /** How they came in; several ways are possible. */
  readonly by: readonly GroupBy[];
  /** When it ends by itself; null: it doesn't. */
  readonly endsAt: number | null;
}

/** One thing that somebody may use because of who they are: a role here, an app to sign on to, an account in a tool. */
export interface Entitlement {
  readonly kind: 'role' | 'app' | 'target';
  readonly id: string;
  readonly name: string;
}

/** What a change of groups means for one person. */
export interface AccessChange {
  readonly person: { readonly id: string; readonly name: string };
  readonly gained: readonly Entitlement[];
  readonly lost: readonly Entitlement[];
}

/** A change that took place, for whoever keeps the evidence. */
export interface Move extends AccessChange {
  /** Somebody who hasn't signed in yet, and had no app and no account before. */
  readonly isJoiner: boolean;
  readonly cause: string;
  /** Sign-ons that ended with the apps that were lost, by the app's id. */
  readonly endedSignOns: Readonly<Record<string, number>>;
}

export function difference(
  before: readonly Entitlement[],
  after: readonly Entitlement[],
): Pick<AccessChange, 'gained' | 'lost'> {
  const keyOf = ({ kind, id }: Entitlement): string => `${kind}/${id}`;
  const [had, has] = [new Set(before.map(keyOf)), new Set(after.map(keyOf))];
  return {
    gained: after.filter((one) => !had.has(keyOf(one))),
    lost: before.filter((one) => !has.has(keyOf(one))),
  };
}
