import type { EstateContext } from './context.ts';
import { createAppCommands } from './app-commands.ts';
import { createDeclarationCommands } from './declaration-commands.ts';
import { createGrantCommands } from './grant-commands.ts';
import { createIntegrationCommands } from './integration-commands.ts';
import { createRuleCommands } from './rule-commands.ts';

export type Estate = ReturnType<typeof createEstate>;

/** The estate's commands, over one context. `checkPolicy` throws when a Cedar text is not valid. */
export function createEstate(context: EstateContext, checkPolicy: (text: string) => void) {
  const apps = createAppCommands(context);
  const integrations = createIntegrationCommands(context);
  const grants = createGrantCommands(context);
  const rules = createRuleCommands(context, checkPolicy);
  const declarations = createDeclarationCommands(context, { apps, integrations, grants, rules });
  return { apps, integrations, grants, rules, declarations };
}
