import type { ActionTable, AnyAction } from './action.ts';
import { caseActions } from './case-actions.ts';
import { gatewayActions } from './gateway-actions.ts';
import { identityActions } from './identity-actions.ts';
import { outsideActions } from './outside-actions.ts';

/** What commands of the type `cordon` can do, by name. */
export function createActionTable(more: readonly AnyAction[] = []): ActionTable {
  const all = [...gatewayActions, ...identityActions, ...caseActions, ...outsideActions, ...more];
  return new Map(all.map((action) => [action.name, action]));
}
