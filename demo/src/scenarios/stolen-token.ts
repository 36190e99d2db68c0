import { setTimeout } from 'node:timers/promises';
import type { CutOffReach } from '../cordon-client.ts';
import { run as runAccessReview } from '../integrations/access-review.ts';
import { run as runDirectoryReader } from '../integrations/directory-reader.ts';
import type { RegisteredApp, Scenario, Stage } from '../scenario.ts';
import { startThief, type ThiefReport } from '../thief.ts';

const THIEF_MS_MAX = 5_000;
/** After this long without a served call, every process behind a shared port has had its turn many times. */
const QUIET_MS = 1_000;
const REFUSAL_MS_MAX = 1_000;
const REACH_TRIES_MAX = 20;
const REACH_PAUSE_MS = 100;
const PATH = '/v1.0/users?$top=1';

const wasServed = (report: ThiefReport): boolean => report.status === 200;

/** The app's address at each gateway process: the prefix URL with the origin of each. */
function urlsOf(app: RegisteredApp, origins: readonly string[]): string[] {
  const { pathname } = new URL(app.gateway.prefixUrl);
  const bases =
    origins.length === 0 ? [app.gateway.prefixUrl] : origins.map((origin) => `${origin}${pathname.replace(/\/$/, '')}`);
  return bases.map((base) => `${base}${PATH}`);
}

function quietSince(reports: readonly ThiefReport[], urls: readonly string[], cutAt: number): boolean {
  return urls.every((url) => {
    const mine = reports.filter((report) => report.url === url && report.at >= cutAt);
    const lastServed = mine.findLast(wasServed)?.at ?? cutAt;
    return (mine.at(-1)?.at ?? 0) - lastServed >= QUIET_MS;
  });
}

/** What Cordon itself measured: each gateway process reports when it began to refuse. */
async function waitForReach(stage: Stage, integrationId: string): Promise<CutOffReach> {
  for (let tries = 1; ; tries += 1) {
    const reach = await stage.cordon.cutOffReach(integrationId);
    if (reach.complete || tries >= REACH_TRIES_MAX) return reach;
    await setTimeout(REACH_PAUSE_MS);
  }
}

async function siblingsGoOn(stage: Stage): Promise<boolean> {
  const review = await runAccessReview(stage.integration('access-review').context);
  return (review.counts['active'] ?? 0) > 0;
}

export const stolenToken: Scenario = {
  name: 'Stolen token',
  who: 'directory-reader',
  expected: 'refused everywhere within 1 s',
  async play(stage) {
    const owner = stage.integration('directory-reader');
    const before = await runDirectoryReader(owner.context);
    const urls = urlsOf(stage.app('microsoft'), stage.gatewayOrigins);
    const token = await owner.context.token();
    const thief = startThief({ urls, token, ...(stage.ca === undefined ? {} : { ca: stage.ca }) });
    try {
      const worked = await thief.until(
        (reports) => urls.every((url) => reports.some((report) => report.url === url && wasServed(report))),
        THIEF_MS_MAX,
      );
      owner.context.report(worked ? 'a thief uses its token' : 'the thief got nowhere');
      const cutAt = stage.now();
      await stage.cordon.revoke(owner.id, 'token stolen');
      const quiet = await thief.until((reports) => quietSince(reports, urls, cutAt), THIEF_MS_MAX);
      // From the command to the start of the last call that any gateway still served.
      const lastServed = thief.reports.findLast((report) => wasServed(report))?.at ?? cutAt;
      const refusedAfterMs = Math.max(0, lastServed - cutAt);
      const reason = thief.reports.findLast((report) => report.status === 401 || report.status === 403)?.reason ?? '';
      const after = await runDirectoryReader(owner.context);
      const cut = quiet && after.sdkError !== undefined;
      const siblings = await siblingsGoOn(stage);
      const reach = await waitForReach(stage, owner.id);
      const inTime = refusedAfterMs <= REFUSAL_MS_MAX && reach.complete && reach.delayMsMax <= REFUSAL_MS_MAX;
      const ok = worked && cut && siblings && inTime && before.sdkError === undefined;
      return {
        happened: cut
          ? `last served ${refusedAfterMs} ms after the cut, siblings ${siblings ? 'go on' : 'stand still'}`
          : 'still served',
        outcome: cut ? 'cut off' : 'allowed',
        reason: before.sdkError === undefined ? reason : before.sdkError,
        ok,
        measured: {
          refusedAfterMs,
          gateways: reach.gateways,
          slowestGatewayMs: reach.delayMsMax,
          stolenCalls: thief.reports.filter(wasServed).length,
        },
      };
    } finally {
      thief.stop();
    }
  },
};
