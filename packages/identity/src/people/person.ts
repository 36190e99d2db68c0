import type { PersonId, Role } from '@cordon/kernel';

export type PersonStatus = 'invited' | 'active' | 'disabled';

/** Someone who uses Cordon. `login` is what they type to sign in: the e-mail address, or the SCIM userName. */
export interface Person {
  readonly id: PersonId;
  readonly name: string;
  readonly email: string;
  readonly login: string;
  readonly status: PersonStatus;
  readonly roles: readonly Role[];
  readonly source: 'local' | 'scim' | 'upstream';
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastSignInAt: number | null;
}

/** Addresses and user names are compared without case and in one Unicode form. */
export function loginKey(login: string): string {
  return login.trim().normalize('NFKC').toLowerCase();
}
