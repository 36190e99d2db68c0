import type { Actor } from '@cordon/kernel';
import type { App } from './app.ts';
import { loadApp } from './app-store.ts';
import { createVaultCommands } from './vault/vault-commands.ts';
import type { EstateContext } from './context.ts';
import { createAppCommands } from './app-commands.ts';
import { createDeclarationCommands } from './declaration-commands.ts';
import { createUpstreamCertificates } from './certificates/upstream-certificates.ts';
import { createGrantCommands } from './grant-commands.ts';
import { createGraphqlCommands } from './graphql/graphql-commands.ts';
import { createIntegrationCommands } from './integration-commands.ts';
import { createLearningCommands } from './learning/learning-commands.ts';
import { createMcpCommands } from './mcp/mcp-commands.ts';
import { createProxyCommands } from './proxy/proxy-commands.ts';
import { createRuleCommands } from './rule-commands.ts';

export type Estate = ReturnType<typeof createEstate>;

/** The estate's commands, over one context. `checkPolicy` throws when a Cedar text is not valid. */
export function createEstate(context: EstateContext, checkPolicy: (text: string) => void) {
  const vault = createVaultCommands(context);
  const apps = {
    ...createAppCommands(context),
    /** As `vault.set`, for the app's own credential; returns the app. */
    async setCredential(actor: Actor, id: string, raw: unknown): Promise<App> {
      await vault.set(actor, id, raw);
      return loadApp(context.db, id);
    },
  };
  const integrations = createIntegrationCommands(context);
  const grants = createGrantCommands(context);
  const rules = createRuleCommands(context, checkPolicy);
  const declarations = createDeclarationCommands(context, { apps, integrations, grants, rules });
  const mcp = createMcpCommands(context);
  const graphql = createGraphqlCommands(context);
  const proxy = createProxyCommands(context);
  const certificates = createUpstreamCertificates(context);
  const learning = createLearningCommands(context, apps);
  return { apps, vault, integrations, grants, rules, declarations, mcp, graphql, proxy, learning, certificates };
}
