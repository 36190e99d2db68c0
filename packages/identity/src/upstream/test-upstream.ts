import type { SsoBrowser, SsoStage } from '../sso/test-sso.ts';
import { OWNER } from '../sso/test-sso.ts';
import { providerSettings, type UpstreamProviderId } from './provider.ts';
import { UPSTREAM_REFUSALS } from './refusal.ts';

/** A provider that is switched on without a test sign-in, which has a test of its own, with its domain verified. */
export async function addProvider(
  stage: SsoStage,
  settings: object,
  options: {
    readonly domain?: string | null;
    readonly status?: 'draft' | 'active';
    readonly clientSecret?: string;
    readonly name?: string;
  } = {},
): Promise<UpstreamProviderId> {
  const { providers } = stage.fake.identity.upstream;
  const made = await providers.add(OWNER, {
    name: options.name ?? `Corp ${Math.random()}`,
    settings: providerSettings.parse(settings),
    clientSecret: options.clientSecret,
  });
  if (options.domain !== null) {
    const domain = options.domain ?? 'corp.example';
    await providers.addDomain(OWNER, made.id, domain);
    await providers.verifyDomain(OWNER, made.id, domain, true);
  }
  if (options.status !== 'draft') await switchOn(stage, made.id);
  return made.id;
}

export async function switchOn(stage: SsoStage, id: UpstreamProviderId): Promise<void> {
  await stage.fake.db
    .tables<{ upstream_providers: { id: string; status: string } }>()
    .updateTable('upstream_providers')
    .set({ status: 'active' })
    .where('id', '=', id)
    .execute();
}

/** Where an answer leads, or the code of the refusal that its page shows. */
export async function outcomeOf(response: Response): Promise<string> {
  const location = response.headers.get('location');
  if (location !== null) return location;
  const page = await response.text();
  const code = /Code: ([\w.]+)/.exec(page)?.[1];
  if (code === undefined || !Object.hasOwn(UPSTREAM_REFUSALS, code))
    throw new Error(`no outcome: ${response.status} ${page}`);
  return code;
}

/** The address that the browser is sent to for signing in. */
export async function beginAt(browser: SsoBrowser, id: string, query = ''): Promise<string> {
  return outcomeOf(await browser.get(`/sso/up/start/${id}${query}`));
}
