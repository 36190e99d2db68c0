import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { type DrillClient } from './drill-client.ts';
import type { Estate } from './estate.ts';
import { messageOf } from './integration.ts';
import type { ScenarioResult } from './scenario.ts';
import { GITHUB_ORG, GITHUB_REPO } from './seeds/github-seed.ts';

const APP = 'github';
const SCENARIO = 'stolen-oauth-token';
const DRILL_MS_MAX = 120_000;
const LOOK_MS = 500;
/** The bars that the drill holds itself to; shown beside what it measured. */
const EXPECTED = 'seen within 10 s, refused everywhere within 1 s of the decision';

export const drillSchema = z.looseObject({
  id: z.string(),
  status: z.string(),
  endedAt: z.number().nullable(),
  error: z.string().nullable(),
  score: z
    .looseObject({
      met: z.int(),
      total: z.int(),
      missing: z.array(z.string()),
      checks: z.array(z.looseObject({ title: z.string(), met: z.boolean() })),
      measures: z.looseObject({
        detectMs: z.number().nullable(),
        containMs: z.number().nullable(),
        cutOffMs: z.number().nullable(),
        gateways: z.int(),
      }),
    })
    .nullable(),
});
type Drill = z.output<typeof drillSchema>;

const shown = (ms: number | null): string =>
  ms === null ? 'never' : ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;

/**
 * Plays the drill "Stolen OAuth token" against the emulated GitHub of this estate: Cordon's own detection, playbook and
 * cut-off, measured by the drill itself. What the thief reads before the cut-off comes from the emulator.
 */
export async function playLiveFire(
  drills: DrillClient,
  estate: Estate,
  progress: (line: string) => void,
): Promise<ScenarioResult> {
  const row = { name: 'Live-fire drill', who: 'drill', expected: EXPECTED } as const;
  progress('scenario: Live-fire drill');
  try {
    await drills.mark({
      app: APP,
      operation: 'issues/list-for-repo',
      path: `/repos/${GITHUB_ORG}/${GITHUB_REPO}/issues?per_page=5`,
      reason: 'An emulator of this demonstration; nothing in it is real.',
    });
    await drills.addChannel('incidents', `${estate.app('slack').baseUrl}/services/incidents`);
    const before = await seenBy(estate);
    const id = await drills.begin(SCENARIO, APP);
    const drill = await untilOver(drills, id, progress);
    const after = await seenBy(estate);
    return { ...row, ...judge(drill, after.requests - before.requests, after.violations - before.violations) };
  } catch (error) {
    return { ...row, happened: 'broke off', outcome: 'refused', reason: messageOf(error), ok: false, measured: {} };
  }
}

async function seenBy(estate: Estate): Promise<{ requests: number; violations: number }> {
  const report = (await estate.reports()).find(({ app }) => app === APP);
  return { requests: report?.requests ?? 0, violations: report?.violationsCount ?? 0 };
}

async function untilOver(drills: DrillClient, id: string, progress: (line: string) => void): Promise<Drill> {
  const until = Date.now() + DRILL_MS_MAX;
  for (let told = ''; ;) {
    const drill = await drills.look(id);
    if (drill.status !== told) progress(`drill: ${drill.status}`);
    told = drill.status;
    if (drill.endedAt !== null || Date.now() > until) return drill;
    await setTimeout(LOOK_MS);
  }
}

function judge({ status, score, error }: Drill, stolenReads: number, violations: number) {
  const { detectMs = null, containMs = null, cutOffMs = null, gateways = 0 } = score?.measures ?? {};
  const unmet = score?.checks.filter(({ met }) => !met).map(({ title }) => title) ?? [];
  const ok = status === 'ended' && score !== null && unmet.length === 0 && stolenReads > 0 && violations === 0;
  return {
    happened: `seen ${shown(detectMs)} after its first use; ${gateways} gateways refuse ${shown(containMs)} after the decision, ${shown(cutOffMs)} after the cut-off`,
    outcome: containMs === null ? ('allowed' as const) : ('cut off' as const),
    reason:
      error ??
      (unmet.length > 0
        ? `not met: ${unmet.join('; ')}`
        : `${score?.met ?? 0} of ${score?.total ?? 0} checks met, measured by the drill`),
    ok,
    measured: { detectMs: detectMs ?? -1, containMs: containMs ?? -1, cutOffMs: cutOffMs ?? -1, gateways, stolenReads },
  };
}
