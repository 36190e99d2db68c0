import type { Planter } from '../planter.ts';
import { COMPANY, type Person } from './people.ts';

export const SLACK_CHANNELS = ['support', 'payments', 'deploys'] as const;

export interface MessageSeed {
  readonly channel: (typeof SLACK_CHANNELS)[number];
  readonly text: string;
}

/** emulate's seed configuration for Slack; messages can only be posted through the API. */
export function slackConfig(people: readonly Person[]): Record<string, unknown> {
  return {
    team: { name: COMPANY, domain: 'meridian-supply' },
    users: people.map((person) => ({
      name: person.login,
      real_name: person.name,
      email: person.email,
      profile: { title: person.title, phone: person.phone },
    })),
    channels: SLACK_CHANNELS.map((name) => ({ name, topic: `About ${name}` })),
    bots: [{ name: 'order-bot' }],
  };
}

/** What was said in the channels before the demonstration starts. */
export function plantMessages(planter: Planter, people: readonly Person[]): readonly MessageSeed[] {
  return people.flatMap((person): MessageSeed[] => [
    { channel: 'support', text: `${person.name} (${person.phone}) cannot pay, card ${planter.card()}` },
    { channel: 'payments', text: `Refund for ${person.email} goes to ${person.iban}` },
    { channel: 'deploys', text: `Deploying with ${planter.awsAccessKey()}, ping me if it breaks` },
  ]);
}
