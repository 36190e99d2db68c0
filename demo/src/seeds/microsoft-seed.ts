import { createHash } from 'node:crypto';
import type { Planter } from '../planter.ts';
import type { Person } from './people.ts';

/** A user as Microsoft Graph v1.0 returns it when nothing is selected. */
export interface GraphUser {
  readonly id: string;
  readonly businessPhones: readonly string[];
  readonly displayName: string;
  readonly givenName: string;
  readonly jobTitle: string;
  readonly mail: string;
  readonly mobilePhone: string;
  readonly officeLocation: string | null;
  readonly preferredLanguage: string;
  readonly surname: string;
  readonly userPrincipalName: string;
}

export interface GraphMessage {
  readonly id: string;
  readonly subject: string;
  readonly bodyPreview: string;
  readonly body: { readonly contentType: 'text'; readonly content: string };
  readonly from: { readonly emailAddress: { readonly name: string; readonly address: string } };
  readonly receivedDateTime: string;
}

export interface GraphSeed {
  readonly users: readonly GraphUser[];
  /** Messages of every mailbox, by user id. */
  readonly messages: Readonly<Record<string, readonly GraphMessage[]>>;
}

function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** emulate signs people in for Microsoft, but has neither a list of users nor mail: these are served beside it. */
export function plantGraph(planter: Planter, people: readonly Person[]): GraphSeed {
  const users = people.map((person) => ({
    id: uuidOf(person.email),
    businessPhones: [person.phone],
    displayName: person.name,
    givenName: person.firstName,
    jobTitle: person.title,
    mail: person.email,
    mobilePhone: person.phone,
    officeLocation: null,
    preferredLanguage: 'en-US',
    surname: person.lastName,
    userPrincipalName: person.email,
  }));
  const messages = Object.fromEntries(
    users.map((user, index) => {
      const content =
        index % 2 === 0 ? `New hire, SSN ${people[index]?.ssn ?? ''}` : `Card for the deposit: ${planter.card()}`;
      const message: GraphMessage = {
        id: `AAMk${uuidOf(`${user.id}:1`).replaceAll('-', '')}`,
        subject: index % 2 === 0 ? 'Onboarding' : 'Deposit',
        bodyPreview: content,
        body: { contentType: 'text', content },
        from: { emailAddress: { name: 'Reception', address: 'reception@meridian-supply.example' } },
        receivedDateTime: '2026-11-20T08:00:00Z',
      };
      return [user.id, [message]];
    }),
  );
  return { users, messages };
}

/** emulate's seed configuration for Microsoft. */
export function microsoftConfig(people: readonly Person[]): Record<string, unknown> {
  return { users: people.map((person) => ({ email: person.email, name: person.name })) };
}
