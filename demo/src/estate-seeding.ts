import { z } from 'zod';
import { EstateFailed } from './errors.ts';
import type { EstatePlan } from './estate-plan.ts';
import { GITHUB_ORG, GITHUB_REPO } from './seeds/github-seed.ts';

const SEED_MS_MAX = 20_000;
/** Seeding asks the emulators themselves, with a token that they count apart from the demonstration's. */
const SEED_TOKEN = 'seeding';

async function post(url: string, body: string, contentType: string): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${SEED_TOKEN}`, 'content-type': contentType },
    body,
    signal: AbortSignal.timeout(SEED_MS_MAX),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new EstateFailed(`seeding ${url} was answered with ${response.status}`, { answer });
  return answer;
}

const form = (fields: Record<string, string>): string => new URLSearchParams(fields).toString();
const FORM = 'application/x-www-form-urlencoded';

async function seedGithub(origin: string, plan: EstatePlan): Promise<void> {
  for (const name of ['bug', 'support', 'billing']) {
    await post(
      `${origin}/repos/${GITHUB_ORG}/${GITHUB_REPO}/labels`,
      JSON.stringify({ name, color: 'd73a4a' }),
      'application/json',
    );
  }
  // One after the other, so that the numbers follow the plan.
  for (const issue of plan.issues) {
    await post(`${origin}/repos/${GITHUB_ORG}/${GITHUB_REPO}/issues`, JSON.stringify(issue), 'application/json');
  }
}

async function seedSlack(origin: string, plan: EstatePlan): Promise<void> {
  for (const { channel, text } of plan.messages) {
    const answer = await post(`${origin}/api/chat.postMessage`, form({ channel, text }), FORM);
    const { ok } = z.object({ ok: z.boolean() }).parse(answer);
    if (!ok) throw new EstateFailed('Slack took no message', { channel, answer });
  }
}

async function seedStripe(origin: string, plan: EstatePlan): Promise<void> {
  for (const charge of plan.charges) {
    const fields = { ...charge, amount: String(charge.amount), payment_method: 'pm_card_visa' };
    const { id } = z.object({ id: z.string() }).parse(await post(`${origin}/v1/payment_intents`, form(fields), FORM));
    await post(`${origin}/v1/payment_intents/${id}/confirm`, '', FORM);
  }
}

/** Plants through the emulators' own APIs what their seed configuration cannot say. */
export async function seedByApi(
  origins: { github: string; slack: string; stripe: string },
  plan: EstatePlan,
): Promise<void> {
  await Promise.all([
    seedGithub(origins.github, plan),
    seedSlack(origins.slack, plan),
    seedStripe(origins.stripe, plan),
  ]);
}
