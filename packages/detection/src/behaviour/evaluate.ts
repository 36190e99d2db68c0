import { DAY_MS, type Feedback } from './behaviour.ts';
import { type BehaviourPort, judgeDay, loadSociety } from './judge.ts';
import { type SampleAttack, type SampleEvent, sampleOrganisation, type SampleOptions } from './sample-organisation.ts';
import { runningScore } from './score.ts';
import { behaviourLevel } from './thresholds.ts';

export interface Evaluation {
  readonly people: number;
  readonly days: number;
  readonly judgedDays: number;
  readonly events: number;
  readonly attacks: number;
  /** Share of the attacks whose person is among the k riskiest on a day of the attack. */
  readonly recallAt: Readonly<Record<number, number>>;
  /** Share of the attacks that raised an alert about their person on a day of the attack. */
  readonly recallByAlert: number;
  /** Alerts about people and days without an attack, per 1,000 people and day. */
  readonly falseAlertsPer1000: number;
  readonly missed: readonly SampleAttack[];
  readonly byKind: Readonly<Record<string, { readonly attacks: number; readonly alerted: number }>>;
}

const KS = [1, 3, 5, 10] as const;
const ATTACK_DAYS = 3;
/** After an attack its person stays above the line for a while; those days are neither right nor wrong. */
const AFTERMATH_DAYS = 7;

/** Judges the sample organisation day by day, with no rule's signals, and counts what was found. */
export async function evaluateBehaviour(
  options: SampleOptions,
  deps: {
    readonly port: BehaviourPort;
    readonly store: (day: number, events: readonly SampleEvent[]) => Promise<void>;
  },
): Promise<Evaluation> {
  const attacks: SampleAttack[] = [];
  const scores = new Map<string, { day: number; score: number }[]>();
  const best = new Map<SampleAttack, { rank: number; alerted: boolean }>();
  const feedback: readonly Feedback[] = [];
  let [events, judgedDays, falseAlerts, peopleDays] = [0, 0, 0, 0];
  for (const today of sampleOrganisation(options)) {
    await deps.store(today.day, today.events);
    events += today.events.length;
    attacks.push(...today.attacks);
    if (today.day < options.from + options.learningDays * DAY_MS) continue;
    judgedDays += 1;
    peopleDays += options.people;
    const society = await loadSociety(deps.port, today.day);
    const ranked: { id: string; running: number; alerted: boolean }[] = [];
    for await (const batch of judgeDay(deps.port, { day: today.day, since: 0, society, feedback })) {
      for (const { facts, score, state } of batch) {
        if (facts.type !== 'person') continue;
        const days = [...(scores.get(facts.id) ?? []), { day: today.day, score }];
        scores.set(facts.id, days);
        const running = runningScore(days, today.day + DAY_MS, 1);
        ranked.push({ id: facts.id, running, alerted: state === 'known' && behaviourLevel(running, score) !== null });
      }
    }
    ranked.sort((a, b) => b.running - a.running);
    for (const [rank, { id, alerted }] of ranked.entries()) {
      const since = (attack: SampleAttack): number => (today.day - attack.day) / DAY_MS;
      const own = attacks.filter(({ email }) => email === id);
      const under = own.find((attack) => since(attack) < (attack.kind === 'slow-exfiltration' ? ATTACK_DAYS : 1));
      if (under) {
        const before = best.get(under) ?? { rank: Number.POSITIVE_INFINITY, alerted: false };
        best.set(under, { rank: Math.min(before.rank, rank), alerted: before.alerted || alerted });
      } else if (alerted && !own.some((attack) => since(attack) <= AFTERMATH_DAYS)) falseAlerts += 1;
    }
  }
  const share = (test: (attack: SampleAttack) => boolean): number =>
    attacks.length === 0 ? 0 : attacks.filter(test).length / attacks.length;
  const alerted = (attack: SampleAttack): boolean => best.get(attack)?.alerted ?? false;
  return {
    people: options.people,
    days: options.days,
    judgedDays,
    events,
    attacks: attacks.length,
    recallAt: Object.fromEntries(KS.map((k) => [k, share((attack) => (best.get(attack)?.rank ?? Infinity) < k)])),
    recallByAlert: share(alerted),
    falseAlertsPer1000: peopleDays === 0 ? 0 : (falseAlerts * 1_000) / peopleDays,
    missed: attacks.filter((attack) => !alerted(attack)),
    byKind: Object.fromEntries(
      [...Map.groupBy(attacks, ({ kind }) => kind)].map(([kind, list]) => [
        kind,
        { attacks: list.length, alerted: list.filter(alerted).length },
      ]),
    ),
  };
}
