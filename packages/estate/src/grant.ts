import { z } from 'zod';
import { grantEntry } from '@cordon/policy';
import { instant } from './input.ts';

const id = z.uuid();

export const grantInput = z.strictObject({
  integrationId: id,
  appId: id,
  name: grantEntry.shape.name.default('default'),
  select: grantEntry.shape.select,
  resourceScope: grantEntry.shape.resourceScope,
  expiresAt: instant.nullable().default(null),
});
export type GrantInput = z.input<typeof grantInput>;

export interface Grant extends z.output<typeof grantInput> {
  readonly id: string;
  readonly createdAt: number;
  readonly createdBy: string;
}

export function grantSnapshotEntry(grant: Grant): readonly [string, unknown] {
  const { id: grantId, name, integrationId, appId, select, resourceScope, expiresAt } = grant;
  return [`grant:${grantId}`, { id: grantId, name, integrationId, appId, select, resourceScope, expiresAt }];
}
