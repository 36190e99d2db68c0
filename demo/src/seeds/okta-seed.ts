import { DOMAIN, type Person } from './people.ts';

const oktaUserId = (index: number): string => `00umeridian${String(index + 1).padStart(9, '0')}`;

/** emulate's seed configuration for Okta. */
export function oktaConfig(people: readonly Person[]): Record<string, unknown> {
  return {
    users: people.map((person, index) => ({
      okta_id: oktaUserId(index),
      login: person.email,
      email: person.email,
      first_name: person.firstName,
      last_name: person.lastName,
      status: index === people.length - 1 ? 'SUSPENDED' : 'ACTIVE',
    })),
    groups: [
      { okta_id: '00gmeridianfinance00', name: 'Finance', description: 'May see payroll' },
      { okta_id: '00gmeridianengineer0', name: 'Engineering', description: `Everybody of engineering@${DOMAIN}` },
    ],
    group_memberships: people.slice(0, 10).map((_, index) => ({
      group_okta_id: index < 3 ? '00gmeridianfinance00' : '00gmeridianengineer0',
      user_okta_id: oktaUserId(index),
    })),
    apps: [
      { okta_id: '0oameridianpayroll00', name: 'payroll', label: 'Payroll' },
      // Somebody connected it, and nobody was asked.
      { okta_id: '0oameridianotterai00', name: 'otter', label: 'Otter.ai' },
    ],
    authorization_servers: [{ id: 'default', name: 'default', audiences: ['api://default'] }],
  };
}
