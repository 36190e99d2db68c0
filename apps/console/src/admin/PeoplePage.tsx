import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Person } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { useCan, useSession } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { DisableForm, InviteForm, LinkView, type MadeLink, RolesForm } from './PersonForms.tsx';

const STATUS: Readonly<Record<Person['status'], { type: StatusIndicatorProps.Type; text: string }>> = {
  active: { type: 'success', text: 'Active' },
  invited: { type: 'pending', text: 'Invited' },
  disabled: { type: 'stopped', text: 'Disabled' },
};

type Dialog = { readonly kind: 'invite' } | { readonly kind: 'roles' | 'disable'; readonly person: Person };

export function PeoplePage() {
  const can = useCan();
  const ownId = useSession()?.actor?.id;
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [link, setLink] = useState<MadeLink | null>(null);
  const people = useInfiniteQuery({
    queryKey: ['people'],
    queryFn: async ({ pageParam }) =>
      taken(await api.GET('/api/v1/people', { params: { query: pageParam === null ? {} : { after: pageParam } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
  const act = useCommand({
    run: async ({ id, person }: { id: string; person: Person }) => {
      const params = { path: { id: person.id } };
      if (id === 'enable') taken(await api.POST('/api/v1/people/{id}/enable', { params }));
      else if (id === 'sign-out') taken(await api.DELETE('/api/v1/people/{id}/sessions', { params }));
      else {
        const made =
          id === 'invite'
            ? taken(await api.POST('/api/v1/people/{id}/invite', { params }))
            : taken(await api.POST('/api/v1/people/{id}/recovery-link', { params }));
        setLink({ ...made, name: person.name });
      }
    },
    done: (_, { id, person }) =>
      id === 'enable'
        ? `${person.name} may sign in again.`
        : id === 'sign-out'
          ? `${person.name} is signed out everywhere.`
          : `A link for ${person.name} is made.`,
    changes: [['people'], ['sessions'], ['audit']],
  });
  const close = (): void => setDialog(null);
  const onAction = (id: string, person: Person): void => {
    if (id === 'roles' || id === 'disable') setDialog({ kind: id, person });
    else act.mutate({ id, person });
  };
  const rows = (people.data?.pages ?? []).flatMap((page) => page.people);
  return (
    <Page title="People" description="Who may use Cordon, and as what.">
      <SpaceBetween size="m">
        <ProblemAlert error={people.error ?? act.error} />
        <Table<Person>
          variant="container"
          wrapLines
          loading={people.isPending}
          loadingText="Loading people"
          items={rows}
          trackBy="id"
          ariaLabels={{ tableLabel: 'People' }}
          header={
            <Header
              counter={`(${rows.length}${people.hasNextPage ? '+' : ''})`}
              actions={
                can('person.write') ? (
                  <Button variant="primary" onClick={() => setDialog({ kind: 'invite' })}>
                    Invite person
                  </Button>
                ) : null
              }
            >
              People
            </Header>
          }
          footer={
            people.hasNextPage ? (
              <Box textAlign="center">
                <Button loading={people.isFetchingNextPage} onClick={() => void people.fetchNextPage()}>
                  Show more
                </Button>
              </Box>
            ) : null
          }
          columnDefinitions={[
            {
              id: 'name',
              header: 'Name',
              isRowHeader: true,
              cell: (row) => (
                <RouteLink href={`/people/${row.id}`}>{row.id === ownId ? `${row.name} (you)` : row.name}</RouteLink>
              ),
            },
            { id: 'email', header: 'E-mail', cell: (row) => row.email },
            {
              id: 'status',
              header: 'Status',
              cell: (row) => (
                <StatusIndicator type={STATUS[row.status].type}>{STATUS[row.status].text}</StatusIndicator>
              ),
            },
            { id: 'roles', header: 'Roles', cell: (row) => row.roles.join(', ') },
            { id: 'groups', header: 'Groups', cell: (row) => row.groups.join(', ') || '-' },
            {
              id: 'source',
              header: 'From',
              cell: (row) => ({ scim: 'directory', upstream: 'provider', local: 'here' })[row.source],
            },
            { id: 'last', header: 'Last sign-in', cell: (row) => <Ago at={row.lastSignInAt} none="never" /> },
            {
              id: 'act',
              header: 'Action',
              cell: (row) => (
                <PersonActions person={row} isSelf={row.id === ownId} can={can} onAction={(id) => onAction(id, row)} />
              ),
            },
          ]}
        />
      </SpaceBetween>
      {dialog?.kind === 'invite' ? <InviteForm onClose={close} onLink={setLink} /> : null}
      {dialog?.kind === 'roles' ? <RolesForm person={dialog.person} onClose={close} /> : null}
      {dialog?.kind === 'disable' ? <DisableForm person={dialog.person} onClose={close} /> : null}
      {link ? <LinkView link={link} onClose={() => setLink(null)} /> : null}
    </Page>
  );
}

function PersonActions({
  person,
  isSelf,
  can,
  onAction,
}: {
  readonly person: Person;
  readonly isSelf: boolean;
  readonly can: (permission: string) => boolean;
  readonly onAction: (id: string) => void;
}) {
  const { status } = person;
  const items = [
    ...(can('person.write') ? [{ id: 'roles', text: 'Change roles' }] : []),
    ...(can('person.write') && status === 'invited' ? [{ id: 'invite', text: 'New invitation link' }] : []),
    ...(can('person.write') && status === 'active' && !isSelf ? [{ id: 'recover', text: 'Recovery link' }] : []),
    ...(can('person.suspend') && status === 'active' && !isSelf
      ? [{ id: 'sign-out', text: 'Sign out everywhere' }]
      : []),
    ...(can('person.suspend') && status !== 'disabled' && !isSelf ? [{ id: 'disable', text: 'Disable' }] : []),
    ...(can('person.write') && status === 'disabled' ? [{ id: 'enable', text: 'Enable' }] : []),
  ];
  if (items.length === 0) return <span>-</span>;
  return (
    <ButtonDropdown
      variant="inline-icon"
      ariaLabel={`Actions for ${person.name}`}
      expandToViewport
      items={items}
      onItemClick={({ detail }) => onAction(detail.id)}
    />
  );
}
