import {
  judgeBacktest,
  listExceptions,
  listSettings,
  parseRuleFile,
  type ParserSet,
  type Rule,
  ruleCondition,
  type RuleSet,
} from '@cordon/detection';
import type { Clock, Database } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { z } from 'zod';
import type { DetectionContent } from '../detection-content.ts';
import { RequestInvalid, RouteUnknown } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { detectionBody } from './detection-bodies.ts';
import { describeDetection } from './detection-routes.ts';

export interface RuleTuningRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly lake: Lake;
  readonly ruleSet: RuleSet;
  readonly content: DetectionContent;
}

const tags = ['detections'];
const DAY_MS = 86_400_000;
const DAYS_MAX = 90;
const HITS_MAX = 100;
const RULE_CHARS_MAX = 64 * 1024;
const FIRINGS_DAYS = 30;
const ruleParameter = z.object({ id: z.string().min(1).max(200) });

const span = {
  days: z.int().min(1).max(DAYS_MAX).default(FIRINGS_DAYS),
  /** Newest events that are shown. */
  limit: z.int().min(0).max(HITS_MAX).default(20),
};
const backtestBody = z.object({
  from: z.int(),
  to: z.int(),
  days: z.array(z.object({ day: z.int(), hits: z.int(), actors: z.int() })),
  hits: z.int(),
  /** At most: one alert for each actor of each day. */
  alerts: z.int(),
  alertsPerDay: z.number(),
  tooOften: z.boolean(),
  /** In words, for whoever is about to switch it on; null when there is nothing to say. */
  warning: z.string().nullable(),
  events: z.array(z.object({ id: z.string(), at: z.int(), summary: z.string() })),
  tookMs: z.int(),
});

const eventFacts = z.looseObject({
  message: z.string().optional(),
  actor: z
    .looseObject({
      app_name: z.string().optional(),
      user: z.looseObject({ email_addr: z.string().optional(), name: z.string().optional() }).optional(),
    })
    .optional(),
  api: z.looseObject({ operation: z.string().optional() }).optional(),
  src_endpoint: z.looseObject({ ip: z.string().optional() }).optional(),
});

/** Who did what from where, of an event that has it. */
function summaryOf(raw: string): string {
  const parsed = eventFacts.safeParse(JSON.parse(raw));
  if (!parsed.success) return '';
  const { message, actor, api, src_endpoint: source } = parsed.data;
  const who = actor?.user?.email_addr ?? actor?.user?.name ?? actor?.app_name;
  return [who, api?.operation ?? message, source?.ip].filter(Boolean).join(' · ').slice(0, 300);
}

/** One rule: what it means, how it did, and what it would have done. */
export function addRuleTuningRoutes(server: ApiServer, deps: RuleTuningRouteDeps): void {
  const { db, clock, lake, ruleSet, content } = deps;

  const backtest = async (rule: Rule, { days, limit }: { days: number; limit: number }) => {
    const started = clock.now();
    const from = started - days * DAY_MS;
    const found = await lake.hunt.run({ ...ruleCondition(rule), from, to: started, limit });
    const verdict = judgeBacktest(found.days, days * DAY_MS);
    const { alertsPerDay, hits } = verdict;
    return {
      from,
      to: started,
      days: [...found.days],
      ...verdict,
      warning: verdict.tooOften
        ? `It would have fired ${hits} times in ${days} days, for up to ${alertsPerDay.toFixed(1)} alerts a day. Make exceptions or narrow it first.`
        : null,
      events: found.hits.map(({ id, at, raw }) => ({ id, at, summary: summaryOf(raw) })),
      tookMs: clock.now() - started,
    };
  };

  server.get(
    '/api/v1/detections/:id',
    {
      config: { permission: 'detection.read' },
      schema: {
        tags,
        params: ruleParameter,
        response: {
          200: detectionBody.extend({
            own: z.boolean(),
            samples: z.object({ fires: z.array(z.unknown()), quiet: z.array(z.unknown()) }).nullable(),
            /** Signals of each of the last thirty days. */
            firings: z.array(z.object({ day: z.int(), signals: z.int() })),
          }),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const one = [...ruleSet.rules, ...ruleSet.correlations].find((rule) => rule.id === id);
      if (!one) throw new RouteUnknown(`There is no rule ${id}.`);
      const now = clock.now();
      const to = Math.ceil(now / DAY_MS) * DAY_MS;
      const filters = [{ field: 'rule', operator: '=' as const, value: id }];
      const [settings, exceptions, samples, histogram] = await Promise.all([
        listSettings(db),
        listExceptions(db, now),
        content.samples(one.file),
        lake.histogram({ filters, from: to - FIRINGS_DAYS * DAY_MS, to, buckets: FIRINGS_DAYS }),
      ]);
      const setting = settings.find(({ ruleId }) => ruleId === id);
      return {
        ...describeDetection(one),
        enabled: setting?.enabled ?? true,
        setting: setting ?? null,
        exceptions: exceptions.filter(({ ruleId }) => ruleId === id),
        own: content.own.files.has(one.file),
        samples: samples && { fires: [...samples.fires], quiet: [...samples.quiet] },
        firings: histogram.buckets.map(({ at, count }) => ({ day: at, signals: count })),
      };
    },
  );

  server.post(
    '/api/v1/detections/:id/backtest',
    {
      config: { permission: 'detection.read' },
      schema: { tags, params: ruleParameter, body: z.strictObject(span), response: { 200: backtestBody } },
    },
    async (request) => {
      const { id } = request.params;
      const rule = ruleSet.rules.find((one) => one.id === id);
      if (rule) return backtest(rule, request.body);
      if (ruleSet.correlations.some((one) => one.id === id)) {
        throw new RequestInvalid('not available: a correlation is not backtested; its rules are, one by one.');
      }
      throw new RouteUnknown(`There is no rule ${id}.`);
    },
  );

  server.post(
    '/api/v1/detection-backtests',
    {
      config: { permission: 'detection.write' },
      schema: {
        tags,
        /** A Sigma rule that isn't loaded: a draft, or a hunt for what nobody looked for then. */
        body: z.strictObject({ ...span, rule: z.string().min(1).max(RULE_CHARS_MAX) }),
        response: { 200: backtestBody },
      },
    },
    async (request) => {
      const { rule: text, ...rest } = request.body;
      const [rule, ...others] = readRules(text, content.parsers);
      if (!rule || others.length > 0) throw new RequestInvalid('Give one Sigma rule, without correlations.');
      return backtest(rule, rest);
    },
  );

  server.get(
    '/api/v1/detection-folder',
    {
      config: { permission: 'detection.read' },
      schema: {
        tags,
        response: {
          200: z.object({
            /** The customer's folder; null: none is configured. */
            folder: z.string().nullable(),
            rules: z.int(),
            problems: z.array(z.object({ file: z.string(), message: z.string() })),
          }),
        },
      },
    },
    async () => ({ folder: content.own.folder, rules: content.own.rules, problems: [...ruleSet.problems] }),
  );
}

function readRules(text: string, parsers: ParserSet): readonly Rule[] {
  const { rules } = parseRuleFile(text, { placeholders: {}, file: 'draft', alias: parsers.alias });
  return rules.map((rule) => ({ ...rule, logsource: parsers.logsource(rule.logsource) }));
}
