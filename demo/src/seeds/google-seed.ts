import type { Planter } from '../planter.ts';
import type { Person } from './people.ts';

/** The item that the drive exporter tries to delete without a grant. */
export const DRIVE_PAYROLL_ID = 'drv_payroll';

/** emulate's seed configuration for Gmail, Calendar and Drive; everything belongs to the first person. */
export function googleConfig(planter: Planter, people: readonly Person[]): Record<string, unknown> {
  const owner = people[0]?.email;
  const payroll = ['name,email,ssn,iban', ...people.map((p) => [p.name, p.email, p.ssn, p.iban].join(','))].join('\n');
  return {
    users: people.slice(0, 8).map((person) => ({ email: person.email, name: person.name })),
    messages: people.slice(1, 16).map((person, index) => ({
      id: `msg_${index + 1}`,
      user_email: owner,
      from: person.email,
      to: owner,
      subject: index % 3 === 0 ? 'My bank details' : 'Order question',
      body_text:
        index % 3 === 0
          ? `Please pay my expenses to ${person.iban}. Call me on ${person.phone}.`
          : `The customer paid with card ${planter.card()}; can you check order ${1000 + index}?`,
      label_ids: ['INBOX', 'UNREAD'],
    })),
    calendars: [{ id: 'primary', user_email: owner, summary: owner, primary: true, selected: true, time_zone: 'UTC' }],
    calendar_events: people.slice(1, 9).map((person, index) => ({
      id: `evt_${index + 1}`,
      user_email: owner,
      calendar_id: 'primary',
      summary: `Salary review: ${person.name}`,
      description: `Dial in: ${person.phone}`,
      start_date_time: `2026-12-0${index + 1}T09:00:00.000Z`,
      end_date_time: `2026-12-0${index + 1}T09:30:00.000Z`,
      attendees: [{ email: person.email, display_name: person.name }],
    })),
    drive_items: [
      {
        id: 'drv_finance',
        user_email: owner,
        name: 'Finance',
        mime_type: 'application/vnd.google-apps.folder',
        parent_ids: ['root'],
      },
      {
        id: DRIVE_PAYROLL_ID,
        user_email: owner,
        name: 'payroll.csv',
        mime_type: 'text/csv',
        parent_ids: ['drv_finance'],
        data: payroll,
      },
      {
        id: 'drv_keys',
        user_email: owner,
        name: 'deploy-notes.txt',
        mime_type: 'text/plain',
        parent_ids: ['root'],
        data: `maps key ${planter.googleApiKey()}\nbot ${planter.slackBotToken()}\n`,
      },
      ...people.map((person, index) => ({
        id: `drv_contract_${index + 1}`,
        user_email: owner,
        name: `contract-${person.login}.txt`,
        mime_type: 'text/plain',
        parent_ids: ['root'],
        data: `${person.name}, ${person.title}, ${person.phone}\n`,
      })),
    ],
  };
}
