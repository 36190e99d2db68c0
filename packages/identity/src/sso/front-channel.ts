import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type IdentityContext, tablesOf } from '../context.ts';
import { isOidc } from './sso-app.ts';
import { findAppToTell } from './sso-app-store.ts';
import { listLoginsOf, markTold } from './sso-login-store.ts';
import { escapeHtml, redirectTo, secureHeaders, sendPage } from './sso-page.ts';
import { createSsoStates } from './sso-state.ts';
import { z } from 'zod';

export const FRONT_CHANNEL_PATH = '/sso/front-channel';
const KIND = 'front-channel';
/** A tool that doesn't answer holds nobody up for longer. */
const WAIT_MS = 4_000;

const pageSchema = z.object({
  next: z.string(),
  frames: z.array(z.object({ login: z.string(), url: z.string() })),
});

/** Goes on when every frame has loaded, or when the time is over. */
const SCRIPT = `const frames=[...document.querySelectorAll('iframe')];const next=()=>location.replace(document.body.dataset.next);let left=frames.length;for(const frame of frames){const done=()=>{left-=1;if(left===0)next()};frame.addEventListener('load',done,{once:true});frame.src=frame.dataset.src}setTimeout(next,${WAIT_MS})`;
const SCRIPT_HASH = createHash('sha256').update(SCRIPT).digest('base64');

/**
 * OpenID Connect Front-Channel Logout 1.0: the browser opens each tool's address in a frame, with `iss` and `sid`. For
 * tools that can't be told from server to server; a browser that keeps third-party cookies back makes it do nothing, so
 * back-channel logout is used wherever a tool has it.
 */
export interface FrontChannel {
  /** Where the browser must go to sign out of tools, before `next`; null when no tool of the session wants it. */
  address(sessionId: string, next: string): Promise<string | null>;
  handle(url: URL, response: ServerResponse): Promise<void>;
}

export function createFrontChannel(context: IdentityContext): FrontChannel {
  const states = createSsoStates(context);
  const { db, config } = context;
  return {
    async address(sessionId, next) {
      const tables = tablesOf(db);
      const frames: { login: string; url: string }[] = [];
      for (const login of await listLoginsOf(tables, sessionId)) {
        const app = await findAppToTell(tables, login.appId);
        if (!app || !isOidc(app) || app.settings.frontchannelLogoutUri === null) continue;
        const url = new URL(app.settings.frontchannelLogoutUri);
        url.searchParams.set('iss', `${config.publicUrl}/sso`);
        url.searchParams.set('sid', login.sid);
        frames.push({ login: login.id, url: url.href });
      }
      if (frames.length === 0) return null;
      return `${FRONT_CHANNEL_PATH}?id=${await states.save(KIND, { next, frames })}`;
    },
    async handle(url, response) {
      const parsed = pageSchema.safeParse(await states.take(KIND, url.searchParams.get('id') ?? ''));
      if (!parsed.success) return redirectTo(response, '/sign-in');
      const { next, frames } = parsed.data;
      await markTold(
        tablesOf(db),
        frames.map(({ login }) => login),
        'The browser was sent to it.',
      );
      const origins = [...new Set(frames.map((frame) => new URL(frame.url).origin))].join(' ');
      secureHeaders(
        response,
        `default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; frame-src ${origins}; script-src 'sha256-${SCRIPT_HASH}'`,
      );
      const list = frames.map(
        (frame) => `<iframe data-src="${escapeHtml(frame.url)}" hidden title="sign-out"></iframe>`,
      );
      const link = `<p><a href="${escapeHtml(next)}">Continue</a></p>`;
      return sendPage(response, 200, 'Signing you out', `${list.join('')}${link}<script>${SCRIPT}</script>`, next);
    },
  };
}
