import { setTimeout } from 'node:timers/promises';
import type { CordonClient } from './cordon-client.ts';
import type { Estate } from './estate.ts';
import { messageOf } from './integration.ts';
import type { Scenario, ScenarioResult, Stage } from './scenario.ts';
import { flood, forbiddenBody, leakingPost, ordinarySync, ungrantedOperation } from './scenarios/call-scenarios.ts';
import { stolenToken } from './scenarios/stolen-token.ts';
import { setStage } from './stage.ts';

const RECORD_MS_MAX_DEFAULT = 10_000;
const RECORD_PAUSE_MS = 250;

const SCENARIOS: readonly Scenario[] = [
  ordinarySync,
  leakingPost,
  ungrantedOperation,
  flood,
  forbiddenBody,
  stolenToken,
];

export interface RunOptions {
  readonly cordon: CordonClient;
  readonly estate: Estate;
  /** One line of progress, without a line break. */
  readonly progress: (line: string) => void;
  /** Base URLs that each lead to one gateway process, such as `http://127.0.0.1:8080`; none means the app's address. */
  readonly gatewayOrigins?: readonly string[];
  /** PEM of the authority behind the gateway's TLS listener; becomes trusted by this process. */
  readonly ca?: string;
  /** Choice of planted card and key; the same seed gives the same. */
  readonly seed?: string;
  /** How long the last events may take to reach the lake; ten seconds by default. */
  readonly recordMsMax?: number;
  /** Milliseconds since the epoch; must be the clock of this machine, as the thief is another process. */
  readonly now?: () => number;
}

/**
 * Registers the estate and its integrations with Cordon, then plays every scenario, one after the other.
 * A scenario that breaks becomes a line that is not ok; what fails before that throws.
 */
export async function runScenarios(options: RunOptions): Promise<ScenarioResult[]> {
  return playScenarios(await prepareStage(options), options.progress);
}

/** Registers the estate and its integrations with Cordon. */
export function prepareStage(options: RunOptions): Promise<Stage> {
  const { ca, ...rest } = options;
  return setStage({
    gatewayOrigins: [],
    seed: 'demo',
    now: Date.now,
    recordMsMax: RECORD_MS_MAX_DEFAULT,
    ...rest,
    ...(ca === undefined ? {} : { ca }),
  });
}

/** Plays every scenario on a prepared stage. Afterwards `directory-reader` is cut off, the others may go on. */
export async function playScenarios(stage: Stage, progress: (line: string) => void): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const scenario of SCENARIOS) {
    progress(`scenario: ${scenario.name}`);
    results.push(await play(scenario, stage));
  }
  results.push(await checkRecord(stage, results), await checkVendors(stage.estate));
  return results;
}

async function play(scenario: Scenario, stage: Stage): Promise<ScenarioResult> {
  const { name, who, expected } = scenario;
  try {
    return { name, who, expected, ...(await scenario.play(stage)) };
  } catch (error) {
    return {
      name,
      who,
      expected,
      happened: 'broke off',
      outcome: 'refused',
      reason: messageOf(error),
      ok: false,
      measured: {},
    };
  }
}

/** Every call that an integration made, served or not, is one event in the lake: no more, no fewer. */
async function checkRecord(stage: Stage, played: readonly ScenarioResult[]): Promise<ScenarioResult> {
  const made = played.flatMap(({ who, measured }) =>
    measured['calls'] === undefined ? [] : [{ who, calls: measured['calls'] }],
  );
  const calls = made.reduce((sum, each) => sum + each.calls, 0);
  // The spool ships in the background: the last events arrive a little later.
  let events = -1;
  const triesMax = Math.ceil(stage.recordMsMax / RECORD_PAUSE_MS);
  for (let tries = 0; tries < triesMax && events !== calls; tries += 1) {
    if (tries > 0) await setTimeout(RECORD_PAUSE_MS);
    const counts = await Promise.all(
      made.map(({ who }) => stage.cordon.searchEvents(`class:api-activity integration:${who}`)),
    );
    events = counts.reduce((sum, { count }) => sum + count, 0);
  }
  return {
    name: 'Every call recorded',
    who: 'all',
    expected: 'one event for each call',
    happened: `${calls} calls, ${events} events in the lake`,
    outcome: 'allowed',
    reason: events === calls ? 'none lost, none twice' : '',
    ok: events === calls && calls > 0,
    measured: { calls, events },
  };
}

/** The other side of the bargain: each vendor saw its own secret with every call, and nothing of Cordon's. */
async function checkVendors(estate: Estate): Promise<ScenarioResult> {
  const reports = await estate.reports();
  const requests = reports.reduce((sum, report) => sum + report.requests, 0);
  const violations = reports.reduce((sum, report) => sum + report.violationsCount, 0);
  const kinds = [
    ...new Set(reports.flatMap((report) => report.violations.map((each) => `${report.app} ${each.kind}`))),
  ];
  return {
    name: 'What the vendors saw',
    who: 'all',
    expected: "the vendor's secret, no Cordon token",
    happened: `${requests} requests, ${violations} violations`,
    outcome: 'allowed',
    reason: kinds.length === 0 ? 'every call carried the right secret' : kinds.join(', '),
    ok: violations === 0 && requests > 0,
    measured: { requests, violations },
  };
}
