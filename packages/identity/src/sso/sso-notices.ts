import { importJWK, type JWK, SignJWT } from 'jose';
import { type IdentityContext, tablesOf } from '../context.ts';
import type { SigningKeys } from '../oauth/signing-keys.ts';
import { uuidv7 } from '@cordon/kernel';
import { isOidc, isSaml, type SamlSettings, type SsoApp } from './sso-app.ts';
import { findAppToTell } from './sso-app-store.ts';
import { claimNotices, endLogins, SESSIONS_CHANNEL, settleNotice, type SsoLogin } from './sso-login-store.ts';
import { SSO_PATH } from './sso-oidc-configuration.ts';

const LOGOUT_TOKEN_TTL_S = 120;
const WAIT_MS_MAX = 5_000;
const LOOK_MS = 30_000;
/** Waits between tries: a minute, five, half an hour, two hours; then it is failed and shown so. */
const RETRY_MS = [60_000, 300_000, 1_800_000, 7_200_000] as const;

/** Sends a form or document to an app's address; gives the status. Follows no redirect and reads no answer. */
export type PostToApp = (url: string, type: string, body: string) => Promise<number>;

export const postToApp: PostToApp = async (url, type, body) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(WAIT_MS_MAX),
  });
  await response.body?.cancel();
  return response.status;
};

export interface SsoNotices {
  /** Ends what lost its session and tells the apps; tests call it, the process calls it by itself. */
  run(): Promise<void>;
  stop(): Promise<void>;
}

export interface NoticeParts {
  readonly keys: SigningKeys;
  readonly post: PostToApp;
  /** Makes the SOAP body of a LogoutRequest. */
  readonly samlLogout: (app: SsoApp<SamlSettings>, login: SsoLogin) => Promise<string>;
}

/** OpenID Connect Back-Channel Logout 1.0, section 2.4. */
async function logoutToken(context: IdentityContext, keys: SigningKeys, login: SsoLogin): Promise<string> {
  const jwk = (await keys.load()).find((key: JWK) => key.alg === 'RS256');
  if (!jwk) throw new Error('there is no RS256 key');
  const now = Math.floor(context.clock.now() / 1000);
  return new SignJWT({ sid: login.sid, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } })
    .setProtectedHeader({ alg: 'RS256', typ: 'logout+jwt', ...(jwk.kid === undefined ? {} : { kid: jwk.kid }) })
    .setIssuer(context.config.publicUrl + SSO_PATH)
    .setSubject(login.personId)
    .setAudience(login.appId)
    .setIssuedAt(now)
    .setExpirationTime(now + LOGOUT_TOKEN_TTL_S)
    .setJti(uuidv7(context.clock.now()))
    .sign(await importJWK(jwk, 'RS256'));
}

/** Tells every app that a person's session is over, however it ended, and tries again when one doesn't answer. */
export async function startNotices(context: IdentityContext, parts: NoticeParts): Promise<SsoNotices> {
  const { db, clock, logger } = context;

  const send = async (app: SsoApp, login: SsoLogin): Promise<number | null> => {
    if (isOidc(app)) {
      const { backchannelLogoutUri: url } = app.settings;
      if (url === null) return null;
      const body = new URLSearchParams({ logout_token: await logoutToken(context, parts.keys, login) });
      return parts.post(url, 'application/x-www-form-urlencoded', body.toString());
    }
    if (!isSaml(app) || app.settings.sloSoapUrl === null) return null;
    return parts.post(app.settings.sloSoapUrl, 'text/xml; charset=utf-8', await parts.samlLogout(app, login));
  };

  const tell = async (login: SsoLogin): Promise<void> => {
    const tables = tablesOf(db);
    const settle = (notice: 'told' | 'failed' | 'waiting' | 'not-possible', outcome: string, nextAt: number | null) =>
      settleNotice(tables, login.id, { notice, outcome, nextAt });
    const app = await findAppToTell(tables, login.appId);
    let outcome: string;
    try {
      const status = app ? await send(app, login) : null;
      if (status === null) {
        const inBrowser = app && isOidc(app) && app.settings.frontchannelLogoutUri !== null;
        return await settle(
          'not-possible',
          inBrowser ? 'Only a browser could tell it.' : 'The app has no address for it.',
          null,
        );
      }
      if (status >= 200 && status < 300) return await settle('told', `HTTP ${status}`, null);
      outcome = `HTTP ${status}`;
    } catch (error) {
      outcome = error instanceof Error ? error.message : String(error);
    }
    const wait = RETRY_MS[login.attempts - 1];
    await settle(wait === undefined ? 'failed' : 'waiting', outcome, wait === undefined ? null : clock.now() + wait);
  };

  const work = async (): Promise<void> => {
    await db.transaction(async (tx) => endLogins(tablesOf(tx), {}, clock.now()));
    for (;;) {
      const due = await claimNotices(tablesOf(db), clock.now());
      if (due.length === 0) return;
      await Promise.all(due.map(tell));
    }
  };

  let running: Promise<void> | null = null;
  let again = false;
  const run = async (): Promise<void> => {
    again = true;
    running ??= (async () => {
      while (again) {
        again = false;
        await work();
      }
    })().finally(() => {
      running = null;
    });
    await running;
  };
  const wake = (): void => {
    run().catch((error: unknown) => logger.error({ err: error }, 'could not tell apps of ended sessions'));
  };
  const listener = await db.listen(SESSIONS_CHANNEL, wake);
  const timer = setInterval(wake, LOOK_MS);
  return {
    run,
    async stop() {
      clearInterval(timer);
      await listener.stop();
      await running?.catch(() => undefined);
    },
  };
}
