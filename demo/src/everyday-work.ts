import { setTimeout } from 'node:timers/promises';
import { messageOf } from './integration.ts';
import { run as runAccessReview } from './integrations/access-review.ts';
import { run as runBillingFlood } from './integrations/billing-flood.ts';
import { run as runDirectoryReader } from './integrations/directory-reader.ts';
import { run as runDriveExporter } from './integrations/drive-exporter.ts';
import { run as runIssueSync } from './integrations/issue-sync.ts';
import { run as runNotifier } from './integrations/notifier.ts';
import type { Stage } from './scenario.ts';

const PAUSE_MS_DEFAULT = 2_000;
const BILLING_CALLS = 3;

export interface EverydayOptions {
  /** Ends the work; the promise resolves soon after. */
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
  /** Between two pieces of work. */
  readonly pauseMs?: number;
}

/**
 * Lets the integrations go about their work, one after the other, until told to stop: gives the console something
 * to show. The directory reader tries, too, so that one can see it refused until it is restored.
 */
export async function keepWorking(
  stage: Stage,
  { signal, progress, pauseMs = PAUSE_MS_DEFAULT }: EverydayOptions,
): Promise<void> {
  const contextOf = (name: Parameters<Stage['integration']>[0]) => ({
    ...stage.integration(name).context,
    report: () => undefined,
  });
  const work: readonly (() => Promise<unknown>)[] = [
    () => runIssueSync(contextOf('issue-sync')),
    () => runAccessReview(contextOf('access-review')),
    () =>
      runNotifier(contextOf('payment-notifier'), { card: stage.planter.card(), awsKey: stage.planter.awsAccessKey() }),
    () => runBillingFlood(contextOf('billing-report'), BILLING_CALLS),
    () => runDirectoryReader(contextOf('directory-reader')),
    () => runDriveExporter(contextOf('drive-exporter')),
  ];
  for (let turn = 0; !signal.aborted; turn += 1) {
    try {
      await work[turn % work.length]?.();
    } catch (error) {
      // A refusal is part of the show: it stands in the events. What breaks otherwise is worth a line.
      progress(messageOf(error));
    }
    await setTimeout(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}
