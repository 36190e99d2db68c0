import { setDefaultCACertificates, getCACertificates } from 'node:tls';
import type { AccessToken, CordonClient } from './cordon-client.ts';
import { EstateFailed } from './errors.ts';
import type { Estate } from './estate.ts';
import { createPlanter } from './planter.ts';
import {
  INTEGRATION_NAMES,
  type IntegrationName,
  type RegisteredApp,
  type RegisteredIntegration,
  type Stage,
} from './scenario.ts';
import type { AppName } from './vendors.ts';

const EXPIRES_AFTER_MS = 90 * 24 * 3_600_000;
/** A token is renewed after this share of its life. */
const RENEW_AFTER_SHARE = 0.8;
/** The flood asks three times as often. */
export const BILLING_CALLS_PER_MINUTE = 20;

interface Plan {
  readonly app: AppName;
  readonly purpose: string;
  /** Operation ids of the app's description: all that the integration may call. */
  readonly operations: readonly string[];
}

/** Least privilege for each integration: what its work needs and no more. */
const PLANS: Readonly<Record<IntegrationName, Plan>> = {
  'issue-sync': {
    app: 'github',
    purpose: 'Copies issues into the data warehouse',
    operations: ['issues/list-for-repo'],
  },
  'payment-notifier': {
    app: 'slack',
    purpose: 'Tells #payments about failed payments',
    operations: ['chat.postMessage', 'conversations.history'],
  },
  'drive-exporter': {
    app: 'google',
    purpose: 'Lists files and meetings for the archive',
    operations: ['drive.files.list', 'calendar.events.list'],
  },
  'billing-report': { app: 'stripe', purpose: 'Counts charges for the daily report', operations: ['GetCharges'] },
  'issue-writer': { app: 'github', purpose: 'Opens an issue for each weekly report', operations: ['issues/create'] },
  'directory-reader': { app: 'microsoft', purpose: 'Keeps the staff list current', operations: ['users.ListUser'] },
  'access-review': { app: 'okta', purpose: 'Counts active accounts for the review', operations: ['listUsers'] },
};

export interface StageOptions {
  readonly cordon: CordonClient;
  readonly estate: Estate;
  readonly gatewayOrigins: readonly string[];
  readonly ca?: string;
  readonly seed: string;
  readonly recordMsMax: number;
  readonly now: () => number;
  readonly progress: (line: string) => void;
}

/** Registers all apps and integrations with Cordon, and gets each integration its first token. */
export async function setStage(options: StageOptions): Promise<Stage> {
  const { cordon, estate, progress, ca } = options;
  // Node's fetch, which the SDKs use, knows no other way to trust an authority of one's own at run time.
  if (ca !== undefined) setDefaultCACertificates([...getCACertificates('default'), ca]);
  const apps = new Map<AppName, RegisteredApp>();
  for (const app of estate.apps) {
    progress(`adding ${app.title}`);
    apps.set(app.name, await cordon.addApp(app));
  }
  const app = (name: AppName): RegisteredApp => need(apps.get(name), name);
  for (const dataClass of ['payment.card', 'credential.*']) {
    const name = `slack-redact-${dataClass.replace(/\W+/g, '-').replace(/-$/, '')}`;
    await cordon.inspect({ name, appId: app('slack').id, dataClass, direction: 'request', action: 'redact' });
  }
  const integrations = new Map<IntegrationName, RegisteredIntegration>();
  for (const name of INTEGRATION_NAMES) {
    progress(`registering ${name}`);
    integrations.set(name, await registerOne(options, name, app));
  }
  const billing = need(integrations.get('billing-report'), 'billing-report');
  await cordon.limit({
    name: 'billing-report',
    integrationId: billing.id,
    appId: app('stripe').id,
    count: BILLING_CALLS_PER_MINUTE,
    periodMs: 60_000,
  });
  return {
    cordon,
    estate,
    planter: createPlanter(`stage:${options.seed}`),
    gatewayOrigins: options.gatewayOrigins,
    ...(ca === undefined ? {} : { ca }),
    now: options.now,
    recordMsMax: options.recordMsMax,
    app,
    integration: (name) => need(integrations.get(name), name),
  };
}

function need<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new EstateFailed(`the stage lacks ${name}`);
  return value;
}

/** Asks for a token when there is none or the last one is nearly over; calls meanwhile share one request. */
function tokenSource(request: () => Promise<AccessToken>, now: () => number): () => Promise<string> {
  let current: { readonly value: Promise<string>; renewAt: number } | undefined;
  return () => {
    if (current && now() < current.renewAt) return current.value;
    const asked = request();
    const entry = { value: asked.then((token) => token.value), renewAt: Number.POSITIVE_INFINITY };
    current = entry;
    asked.then(
      (token) => (entry.renewAt = now() + token.lifetimeMs * RENEW_AFTER_SHARE),
      () => (current = undefined),
    );
    return entry.value;
  };
}

async function registerOne(
  { cordon, estate, progress, now }: StageOptions,
  name: IntegrationName,
  app: (name: AppName) => RegisteredApp,
): Promise<RegisteredIntegration> {
  const plan = PLANS[name];
  const { id } = await cordon.registerIntegration({ name, purpose: plan.purpose, expiresAt: now() + EXPIRES_AFTER_MS });
  await cordon.grant(id, app(plan.app).id, plan.operations);
  const credentials = await cordon.createCredentials(id);
  await estate.forbid([credentials.clientSecret]);
  const token = tokenSource(async () => {
    const fresh = await cordon.token(credentials);
    // From here on no vendor may ever see it.
    await estate.forbid([fresh.value]);
    return fresh;
  }, now);
  await token();
  return {
    id,
    name,
    context: {
      addressOf: (appName) => app(appName).gateway,
      token,
      report: (note) => progress(`${name}: ${note}`),
      upstreamOrigins: estate.apps.map((each) => each.baseUrl),
    },
  };
}
