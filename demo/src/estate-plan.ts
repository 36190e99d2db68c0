import type { Planter } from './planter.ts';
import { githubConfig, plantIssues, type IssueSeed } from './seeds/github-seed.ts';
import { googleConfig } from './seeds/google-seed.ts';
import { type GraphSeed, microsoftConfig, plantGraph } from './seeds/microsoft-seed.ts';
import { oktaConfig } from './seeds/okta-seed.ts';
import { type Person, plantPeople } from './seeds/people.ts';
import { type MessageSeed, plantMessages, slackConfig } from './seeds/slack-seed.ts';
import { type ChargeSeed, plantCharges, stripeConfig } from './seeds/stripe-seed.ts';
import type { AppName } from './vendors.ts';

/** Everything that is planted, decided before anything starts. */
export interface EstatePlan {
  readonly people: readonly Person[];
  /** emulate's seed configuration, one section for each service. */
  readonly config: Readonly<Record<AppName, Record<string, unknown>>>;
  readonly issues: readonly IssueSeed[];
  readonly messages: readonly MessageSeed[];
  readonly charges: readonly ChargeSeed[];
  readonly graph: GraphSeed;
}

export function planEstate(planter: Planter): EstatePlan {
  const people = plantPeople(planter);
  return {
    people,
    config: {
      github: githubConfig(people),
      slack: slackConfig(people),
      google: googleConfig(planter, people),
      stripe: stripeConfig(people),
      okta: oktaConfig(people),
      microsoft: microsoftConfig(people),
    },
    issues: plantIssues(planter, people),
    messages: plantMessages(planter, people),
    charges: plantCharges(planter, people),
    graph: plantGraph(planter, people),
  };
}
