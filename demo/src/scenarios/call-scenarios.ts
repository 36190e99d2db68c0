import { run as runBillingFlood } from '../integrations/billing-flood.ts';
import { run as runDriveExporter } from '../integrations/drive-exporter.ts';
import { run as runIssueSync } from '../integrations/issue-sync.ts';
import { run as runIssueWriter } from '../integrations/issue-writer.ts';
import { run as runNotifier } from '../integrations/notifier.ts';
import { lastWith, names, namesPolicy, refusalOf } from '../refusal.ts';
import type { Scenario } from '../scenario.ts';
import { GITHUB_ISSUES_COUNT } from '../seeds/github-seed.ts';
import { BILLING_CALLS_PER_MINUTE } from '../stage.ts';

const FLOOD_CALLS = BILLING_CALLS_PER_MINUTE * 3;

export const ordinarySync: Scenario = {
  name: 'Ordinary sync',
  who: 'issue-sync',
  expected: 'all pages, all through the gateway',
  async play(stage) {
    const { counts, wire } = await runIssueSync(stage.integration('issue-sync').context);
    const { pages = 0, issues = 0 } = counts;
    const ok = pages > 1 && issues >= GITHUB_ISSUES_COUNT && wire.leaks === 0;
    const leaks = wire.leaks === 0 ? '' : `, ${wire.leaks} addresses of GitHub itself`;
    return {
      happened: `${pages} pages, ${issues} issues${leaks}`,
      outcome: 'allowed',
      reason: 'granted: issues/list-for-repo',
      ok,
      measured: { calls: wire.calls.length, pages, issues, leaks: wire.leaks },
    };
  },
};

/** The sum of the counts in `payment.card;count=1, credential.aws;count=2`. */
function countOf(redacted: string | undefined): number {
  return [...(redacted ?? '').matchAll(/count=(\d+)/g)].reduce((sum, match) => sum + Number(match[1]), 0);
}

export const leakingPost: Scenario = {
  name: 'Card and key in a message',
  who: 'payment-notifier',
  expected: 'posted without card and key',
  async play(stage) {
    const leak = { card: stage.planter.card(), awsKey: stage.planter.awsAccessKey() };
    const result = await runNotifier(stage.integration('payment-notifier').context, leak);
    const told = result.wire.calls.find((call) => call.url.endsWith('chat.postMessage'))?.headers['cordon-redacted'];
    const { stored } = result;
    const clean = stored !== undefined && !stored.includes(leak.card) && !stored.includes(leak.awsKey);
    const refused = result.wire.calls.findLast((call) => call.status >= 400);
    return {
      happened: clean ? 'Slack holds neither' : (result.sdkError ?? 'Slack holds them'),
      outcome: clean ? 'redacted' : refused ? 'refused' : 'allowed',
      reason:
        told === undefined
          ? refused
            ? refusalOf(refused).reason
            : 'no Cordon-Redacted header'
          : `Cordon-Redacted: ${told}`,
      ok: clean && told !== undefined,
      measured: { calls: result.wire.calls.length, redactions: countOf(told) },
    };
  },
};

export const ungrantedOperation: Scenario = {
  name: 'Operation never granted',
  who: 'drive-exporter',
  expected: '403 with operation and policy',
  async play(stage) {
    const { wire, counts } = await runDriveExporter(stage.integration('drive-exporter').context);
    const call = lastWith(wire.calls, 403);
    const { files = 0, shared = 0 } = counts;
    const measured = { calls: wire.calls.length, files };
    if (!call) return { happened: 'the payroll was shared', outcome: 'allowed', reason: '', ok: false, measured };
    const named = names(call, 'drive.permissions.create') && namesPolicy(call);
    return {
      happened: `${files} files listed, sharing answered 403`,
      outcome: 'refused',
      reason: refusalOf(call).reason,
      ok: named && files > 0 && shared === 0,
      measured,
    };
  },
};

export const flood: Scenario = {
  name: 'Flood',
  who: 'billing-report',
  expected: '429, Retry-After, RateLimit',
  async play(stage) {
    const { wire, counts } = await runBillingFlood(stage.integration('billing-report').context, FLOOD_CALLS);
    const { served = 0, limited = 0 } = counts;
    const call = lastWith(wire.calls, 429);
    const measured = { calls: FLOOD_CALLS, served, limited };
    if (!call) return { happened: `${served} served`, outcome: 'allowed', reason: '', ok: false, measured };
    const refusal = refusalOf(call);
    return {
      happened: `${served} served at a limit of ${BILLING_CALLS_PER_MINUTE} a minute, ${limited} held back`,
      outcome: 'limited',
      reason: `Retry-After: ${refusal.retryAfter ?? 'missing'}; ${refusal.rateLimit ?? 'RateLimit missing'}`,
      ok: served > 0 && served < FLOOD_CALLS && refusal.retryAfter !== undefined && refusal.rateLimit !== undefined,
      measured,
    };
  },
};

export const forbiddenBody: Scenario = {
  name: 'Body against the schema',
  who: 'issue-writer',
  expected: '400 that names the field',
  async play(stage) {
    const { wire, counts } = await runIssueWriter(stage.integration('issue-writer').context);
    const call = lastWith(wire.calls, 400);
    const created = counts['created'] ?? 0;
    const measured = { calls: wire.calls.length, created };
    if (!call) {
      const last = wire.calls.at(-1);
      return {
        happened: `GitHub itself answered ${last?.status ?? 0}`,
        outcome: 'allowed',
        reason: '',
        ok: false,
        measured,
      };
    }
    return {
      happened: `${created} proper issue opened, the other answered 400`,
      outcome: 'refused',
      reason: refusalOf(call).reason,
      ok: created === 1 && names(call, 'title'),
      measured,
    };
  },
};
