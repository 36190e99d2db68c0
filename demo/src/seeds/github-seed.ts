import type { Planter } from '../planter.ts';
import { COMPANY, DOMAIN, type Person } from './people.ts';

export const GITHUB_ORG = 'meridian';
export const GITHUB_REPO = 'storefront';
/** Enough for five pages of thirty, GitHub's default page. */
export const GITHUB_ISSUES_COUNT = 130;

const TOPICS = [
  'Checkout times out behind the proxy',
  'Invoice total is off by one cent',
  'Login page loops after password reset',
  'Export of orders misses the last day',
  'Search ignores umlauts',
  'Webhook retries flood the queue',
  'Nightly job leaves a lock behind',
  'Refund shows twice in the ledger',
];

export interface IssueSeed {
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
}

/** What careless people paste into tickets, in the order in which it recurs. */
function pastedBody(planter: Planter, person: Person, index: number): string {
  switch (index % 10) {
    case 0:
      return `Customer ${person.name} <${person.email}> called from ${person.phone}: card ${planter.card()} was declined.`;
    case 3:
      return `Reproduce with\n\n\`\`\`\nAWS_ACCESS_KEY_ID=${planter.awsAccessKey()}\nAWS_SECRET_ACCESS_KEY=${planter.awsSecretKey()}\n\`\`\``;
    case 5:
      return `Refund goes to ${planter.iban()} (account of ${person.name}).`;
    case 7:
      return `CI used GITHUB_TOKEN=${planter.githubToken()} and STRIPE_KEY=${planter.stripeKey()}; rotate both.`;
    case 9:
      return `Payroll import rejects SSN ${person.ssn} of ${person.name}.`;
    default:
      return `Seen by ${person.login} on ${planter.pick(['staging', 'production'])}; steps are in the runbook.`;
  }
}

/** The issues of `meridian/storefront`, oldest first. */
export function plantIssues(planter: Planter, people: readonly Person[]): readonly IssueSeed[] {
  return Array.from({ length: GITHUB_ISSUES_COUNT }, (_, index) => ({
    title: `${planter.pick(TOPICS)} (#${index + 1})`,
    body: pastedBody(planter, planter.pick(people), index),
    labels: [planter.pick(['bug', 'support', 'billing'])],
  }));
}

/** The part of emulate's seed configuration that GitHub takes; issues can only be made through the API. */
export function githubConfig(people: readonly Person[]): Record<string, unknown> {
  return {
    users: people
      .slice(0, 12)
      .map((person) => ({ login: person.login, name: person.name, email: person.email, company: COMPANY })),
    orgs: [
      {
        login: GITHUB_ORG,
        name: COMPANY,
        email: `engineering@${DOMAIN}`,
        members: people
          .slice(0, 12)
          .map((person, index) => ({ login: person.login, role: index === 0 ? 'admin' : 'member' })),
      },
    ],
    repos: [
      { owner: GITHUB_ORG, name: GITHUB_REPO, description: 'The web shop', language: 'TypeScript', private: true },
      { owner: GITHUB_ORG, name: 'payments', description: 'Card processing', language: 'Go', private: true },
      { owner: GITHUB_ORG, name: 'handbook', description: 'How we work', language: 'Markdown' },
    ],
  };
}
