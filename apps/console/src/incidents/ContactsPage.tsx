import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Contact } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { CONTACT_KINDS, ContactForm } from './ContactForm.tsx';
import { contactsQuery } from './incident-queries.ts';

/** Whom to reach in an incident, and whether they can be reached. */
export function ContactsPage() {
  const mayWrite = useCan()('case.write');
  const contacts = useQuery(contactsQuery);
  /** Null: a new one. */
  const [editing, setEditing] = useState<Contact | null | undefined>(undefined);
  const test = useCommand({
    run: async (one: Contact) =>
      taken(await api.POST('/api/v1/contacts/{id}/tests', { params: { path: { id: one.id } } })),
    done: (_, { name }) => `A test is on its way to ${name}.`,
    changes: [['contacts']],
  });
  const remove = useCommand({
    run: async (one: Contact) => taken(await api.DELETE('/api/v1/contacts/{id}', { params: { path: { id: one.id } } })),
    done: (_, { name }) => `${name} is removed.`,
    changes: [['contacts']],
  });
  return (
    <Page title="Contacts" description="Whom to reach in an incident. Each is tested regularly and confirms by a link.">
      <SpaceBetween size="m">
        <ProblemAlert error={contacts.error ?? test.error ?? remove.error} />
        <Table<Contact>
          variant="container"
          wrapLines
          loading={contacts.isPending}
          loadingText="Loading contacts"
          items={contacts.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Contacts' }}
          header={
            <Header
              counter={`(${contacts.data?.length ?? 0})`}
              actions={
                mayWrite ? (
                  <Button variant="primary" onClick={() => setEditing(null)}>
                    Add contact
                  </Button>
                ) : null
              }
            >
              Contacts
            </Header>
          }
          columnDefinitions={[
            { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
            {
              id: 'kind',
              header: 'Kind',
              cell: (row) => CONTACT_KINDS.find(({ value }) => value === row.kind)?.label ?? row.kind,
            },
            { id: 'about', header: 'About', cell: (row) => row.about || '-' },
            {
              id: 'steps',
              header: 'How',
              cell: (row) => row.steps.map(({ channel, to }) => to.join(', ') || channel).join(', then '),
            },
            {
              id: 'state',
              header: 'Last confirmed',
              cell: (row) =>
                row.confirmedAt === null ? (
                  <StatusIndicator type={row.testedAt === null ? 'pending' : 'warning'}>
                    {row.testedAt === null ? 'Never tested' : 'Tested, not confirmed'}
                  </StatusIndicator>
                ) : (
                  <StatusIndicator type={row.isReachable ? 'success' : 'warning'}>
                    <Ago at={row.confirmedAt} /> by {row.confirmedBy}
                  </StatusIndicator>
                ),
            },
            ...(mayWrite
              ? [
                  {
                    id: 'act',
                    header: 'Action',
                    cell: (row: Contact) => (
                      <SpaceBetween direction="horizontal" size="xs">
                        <Button variant="inline-link" ariaLabel={`Test ${row.name}`} onClick={() => test.mutate(row)}>
                          Test
                        </Button>
                        <Button variant="inline-link" ariaLabel={`Edit ${row.name}`} onClick={() => setEditing(row)}>
                          Edit
                        </Button>
                        <Button
                          variant="inline-link"
                          ariaLabel={`Remove ${row.name}`}
                          onClick={() => remove.mutate(row)}
                        >
                          Remove
                        </Button>
                      </SpaceBetween>
                    ),
                  },
                ]
              : []),
          ]}
          empty={
            <Box textAlign="center" padding="m" color="text-body-secondary">
              None yet.
            </Box>
          }
        />
      </SpaceBetween>
      {editing === undefined ? null : <ContactForm of={editing} onClose={() => setEditing(undefined)} />}
    </Page>
  );
}
