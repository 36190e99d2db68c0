import { type Actor, authorize, type Queryable, requireStepUp } from '@cordon/kernel';
import type { createAppCommands } from './app-commands.ts';
import { findApp, listApps, readDescription } from './app-store.ts';
import type { DeclaredWebhooks, EstateContext } from './context.ts';
import {
  type Declaration,
  type DeclaredKind,
  parseDeclaration,
  type PlannedChange,
  planChanges,
} from './declaration.ts';
import { DeclarationInvalid } from './errors.ts';
import type { createGrantCommands } from './grant-commands.ts';
import { listGrants } from './grant-store.ts';
import type { createIntegrationCommands } from './integration-commands.ts';
import { findIntegration, listIntegrations } from './integration-store.ts';
import type { createRuleCommands } from './rule-commands.ts';
import { listRules } from './rule-store.ts';

interface Commands {
  readonly apps: ReturnType<typeof createAppCommands> & {
    setCredential(actor: Actor, id: string, raw: unknown): Promise<unknown>;
  };
  readonly integrations: ReturnType<typeof createIntegrationCommands>;
  readonly grants: ReturnType<typeof createGrantCommands>;
  readonly rules: ReturnType<typeof createRuleCommands>;
}

const decoder = new TextDecoder();
/** Their own routes ask for a fresh factor; a declaration must be no way around that. */
const RULE_KINDS: ReadonlySet<DeclaredKind> = new Set(['policies', 'inspection', 'limits', 'requirements']);

/** What is, in the form of a declaration; without credentials, which can't be read back. */
export async function readDeclaration(db: Queryable, webhooks?: DeclaredWebhooks): Promise<Declaration> {
  const [apps, integrations, grants] = [await listApps(db), await listIntegrations(db), await listGrants(db)];
  const appNames = new Map(apps.map((app) => [app.id, app.name]));
  const integrationNames = new Map(integrations.map((integration) => [integration.id, integration.name]));
  const nameOf = (names: Map<string, string>, id: string | null): string | null => (id ? (names.get(id) ?? id) : null);

  const declared: Declaration = {
    apps: {},
    integrations: {},
    policies: {},
    inspection: {},
    limits: {},
    requirements: {},
    webhooks: {},
  };
  for (const app of apps) {
    const description = await readDescription(db, app.id);
    declared.apps[app.name] = {
      ...app.settings,
      title: app.title,
      ...(description ? { description: decoder.decode(description) } : {}),
    };
  }
  for (const integration of integrations) {
    if (integration.status === 'revoked') continue;
    const { purpose, expiresAt, assurance } = integration;
    const kind = integration.kind as Declaration['integrations'][string]['kind']; // the insert checked it
    declared.integrations[integration.name] = { purpose, kind, expiresAt, assurance, grants: {} };
  }
  for (const { integrationId, appId, name, select, resourceScope, expiresAt } of grants) {
    const integration = declared.integrations[integrationNames.get(integrationId) ?? ''];
    const app = appNames.get(appId);
    if (!integration || app === undefined) continue;
    (integration.grants[app] ??= {})[name] = { select, resourceScope, expiresAt };
  }
  for (const { name, entry } of await listRules(db, 'policy')) {
    declared.policies[name] = { description: entry.description, text: entry.text };
  }
  for (const { name: ruleName, entry } of await listRules(db, 'inspection')) {
    const { name: _, appId, integrationId, ...rest } = entry;
    declared.inspection[ruleName] = {
      ...rest,
      app: nameOf(appNames, appId),
      integration: nameOf(integrationNames, integrationId),
    };
  }
  for (const { name: ruleName, entry } of await listRules(db, 'limit')) {
    const { name: _, scope, ...rest } = entry;
    declared.limits[ruleName] = {
      ...rest,
      app: nameOf(appNames, scope.appId),
      integration: nameOf(integrationNames, scope.integrationId),
      operation: scope.operationId,
    };
  }
  for (const { name: ruleName, entry } of await listRules(db, 'requirement')) {
    const { name: _, appId, integrationId, ...rest } = entry;
    declared.requirements[ruleName] = {
      ...rest,
      app: nameOf(appNames, appId),
      integration: nameOf(integrationNames, integrationId),
    };
  }
  for (const { name: endpoint, appId, integrationId, status, settings } of (await webhooks?.list()) ?? []) {
    const [app, integration] = [appNames.get(appId), integrationNames.get(integrationId)];
    // What belonged to an app that is gone can't be declared, only removed.
    if (app === undefined || integration === undefined) continue;
    const known = status === 'paused' || status === 'disabled' ? status : 'active';
    declared.webhooks[endpoint] = { ...settings, app, integration, status: known };
  }
  return declared;
}

/** Plan, apply and export. Apply goes through the same commands as the API, so validation and audit are the same. */
export function createDeclarationCommands(context: EstateContext, commands: Commands) {
  const { db } = context;

  const idOfApp = async (name: string | null): Promise<string | null> => {
    if (name === null) return null;
    const app = await findApp(db, { name });
    if (!app) throw new DeclarationInvalid(`No app is named ${name}; declare it under "apps".`, { app: name });
    return app.id;
  };
  const idOfIntegration = async (name: string | null): Promise<string | null> => {
    if (name === null) return null;
    const integration = await findIntegration(db, { name });
    if (!integration)
      throw new DeclarationInvalid(`No integration is named ${name}; declare it.`, { integration: name });
    return integration.id;
  };

  const applyApp = async (actor: Actor, change: PlannedChange, desired: Declaration): Promise<void> => {
    const declared = desired.apps[change.name];
    if (!declared) return;
    const { description, credential, title, ...settings } = declared;
    const existing = await findApp(db, { name: change.name });
    const app = existing
      ? await commands.apps.update(actor, existing.id, { ...settings, ...(title === undefined ? {} : { title }) })
      : await commands.apps.create(actor, {
          name: change.name,
          ...settings,
          ...(title === undefined ? {} : { title }),
        });
    const changed = new Set(change.changes.map(({ path }) => path));
    if (description !== undefined && changed.has('description')) {
      await commands.apps.setDescription(actor, app.id, Buffer.from(description, 'utf8'));
    }
    if (credential !== undefined) await commands.apps.setCredential(actor, app.id, credential);
  };

  const applyIntegration = async (actor: Actor, change: PlannedChange, desired: Declaration): Promise<void> => {
    const declared = desired.integrations[change.name];
    if (!declared) return;
    const { grants, ...rest } = declared;
    const existing = await findIntegration(db, { name: change.name });
    const { kind: _, ...patch } = rest;
    const integration = existing
      ? await commands.integrations.update(actor, existing.id, patch)
      : await commands.integrations.create(actor, { name: change.name, ...rest });
    const has = await listGrants(db, { integrationId: integration.id });
    const kept = new Set<string>();
    for (const [appName, byName] of Object.entries(grants)) {
      const appId = await idOfApp(appName);
      if (appId === null) continue;
      for (const [name, grant] of Object.entries(byName)) {
        const put = await commands.grants.put(actor, { integrationId: integration.id, appId, name, ...grant });
        kept.add(put.id);
      }
    }
    // Grants belong to their integration's declaration: one that is no longer there is taken away.
    for (const grant of has) if (!kept.has(grant.id)) await commands.grants.remove(actor, grant.id);
  };

  const applyRule = async (actor: Actor, change: PlannedChange, desired: Declaration): Promise<void> => {
    const { name } = change;
    const [policy, inspection, limit] = [desired.policies[name], desired.inspection[name], desired.limits[name]];
    if (change.kind === 'policies' && policy) await commands.rules.put(actor, 'policy', { name, ...policy });
    if (change.kind === 'inspection' && inspection) {
      const { app, integration, ...rest } = inspection;
      const [appId, integrationId] = [await idOfApp(app), await idOfIntegration(integration)];
      await commands.rules.put(actor, 'inspection', { name, ...rest, appId, integrationId });
    }
    if (change.kind === 'limits' && limit) {
      const { app, integration, operation, ...rest } = limit;
      const [appId, integrationId] = [await idOfApp(app), await idOfIntegration(integration)];
      const scope = { appId, integrationId, operationId: operation };
      await commands.rules.put(actor, 'limit', { name, ...rest, scope });
    }
    const requirement = desired.requirements[name];
    if (change.kind === 'requirements' && requirement) {
      const { app, integration, ...rest } = requirement;
      const [appId, integrationId] = [await idOfApp(app), await idOfIntegration(integration)];
      await commands.rules.put(actor, 'requirement', { name, ...rest, appId, integrationId });
    }
  };

  const applyWebhook = async (actor: Actor, change: PlannedChange, desired: Declaration): Promise<void> => {
    const declared = desired.webhooks[change.name];
    if (!declared) return;
    const { webhooks } = context;
    if (!webhooks)
      throw new DeclarationInvalid('Webhook endpoints can not be declared here.', { webhook: change.name });
    const { app, integration, secret, status, ...settings } = declared;
    const [appId, integrationId] = [await idOfApp(app), await idOfIntegration(integration)];
    const existing = (await webhooks.list()).find(({ name }) => name === change.name);
    const patch = { ...settings, ...(status === undefined ? {} : { status }) };
    if (!existing) {
      if (secret === undefined)
        throw new DeclarationInvalid(`The endpoint ${change.name} is new: declare its secret.`, {
          webhook: change.name,
        });
      const { id } = await webhooks.create(actor, { ...settings, name: change.name, appId, integrationId, secret });
      if (status !== undefined && status !== 'active') await webhooks.update(actor, id, { status });
      return;
    }
    if (existing.appId !== appId || existing.integrationId !== integrationId) {
      throw new DeclarationInvalid(
        `The endpoint ${change.name} belongs to another app or integration: give the new one another name.`,
        { webhook: change.name },
      );
    }
    await webhooks.update(actor, existing.id, patch);
  };

  const removeOne = async (actor: Actor, change: PlannedChange): Promise<void> => {
    if (change.kind === 'apps') {
      const id = await idOfApp(change.name);
      if (id !== null) await commands.apps.remove(actor, id);
    } else if (change.kind === 'integrations') {
      const id = await idOfIntegration(change.name);
      if (id !== null) await commands.integrations.revoke(actor, id, 'removed from the declaration');
    } else if (change.kind === 'webhooks') {
      const endpoint = (await context.webhooks?.list())?.find(({ name }) => name === change.name);
      if (endpoint) await context.webhooks?.remove(actor, endpoint.id);
    } else {
      const kinds = {
        policies: 'policy',
        inspection: 'inspection',
        limits: 'limit',
        requirements: 'requirement',
      } as const;
      const kind = kinds[change.kind];
      const rule = (await listRules(db, kind)).find((candidate) => candidate.name === change.name);
      if (rule) await commands.rules.remove(actor, kind, rule.id);
    }
  };

  const appliers: Record<DeclaredKind, (actor: Actor, change: PlannedChange, to: Declaration) => Promise<void>> = {
    apps: applyApp,
    integrations: applyIntegration,
    policies: applyRule,
    inspection: applyRule,
    limits: applyRule,
    requirements: applyRule,
    webhooks: applyWebhook,
  };

  return {
    async plan(actor: Actor, raw: unknown, options: { prune: boolean }): Promise<PlannedChange[]> {
      authorize(actor, 'apply.plan');
      return planChanges(await readDeclaration(db, context.webhooks), parseDeclaration(raw), options.prune);
    },

    /**
     * Applies a plan made now. Each change is a transaction of its own: when one fails, those before it stand, and a
     * second apply goes on from there.
     */
    async apply(actor: Actor, raw: unknown, options: { prune: boolean }): Promise<PlannedChange[]> {
      authorize(actor, 'apply.write');
      const desired = parseDeclaration(raw);
      const plan = planChanges(await readDeclaration(db, context.webhooks), desired, options.prune);
      if (plan.some(({ kind }) => RULE_KINDS.has(kind))) requireStepUp(actor, 'policy.write', context.clock.now());
      for (const change of plan) {
        if (change.action !== 'delete') await appliers[change.kind](actor, change, desired);
      }
      // Rules and integrations go before the apps that they refer to.
      for (const change of plan.toReversed()) if (change.action === 'delete') await removeOne(actor, change);
      return plan;
    },

    async export(actor: Actor): Promise<Declaration> {
      authorize(actor, 'apply.plan');
      return readDeclaration(db, context.webhooks);
    },
  };
}
