import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { SignInDryRun, SignInPolicySet } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { Outcome, reasonsText } from './Outcome.tsx';

const DAYS = 30;
type Person = SignInDryRun['people'][number];

function countText({ allow, stronger, refuse }: SignInDryRun['now']): string {
  return `${allow} let in, ${stronger} asked for more, ${refuse} refused`;
}

/** What the draft would have done to the sign-ins of the last thirty days. */
export function DryRunPanel({ set }: { readonly set: SignInPolicySet }) {
  const run = useCommand({
    run: async () => taken(await api.POST('/api/v1/sign-in-policy/dry-run', { body: { set, days: DAYS } })),
  });
  const found = run.data;
  return (
    <SpaceBetween size="l">
      <Container
        header={
          <Header
            variant="h2"
            description={`The draft, with watched policies left out, on the facts of each sign-in of the last ${DAYS} days. Changes nothing.`}
            actions={
              <Button variant="primary" loading={run.isPending} onClick={() => run.mutate(undefined)}>
                Try it
              </Button>
            }
          >
            Last month’s sign-ins
          </Header>
        }
      >
        <SpaceBetween size="m">
          <ProblemAlert error={run.error} />
          {found === undefined ? (
            <Box color="text-body-secondary">Nothing tried yet.</Box>
          ) : (
            <KeyValuePairs
              columns={3}
              items={[
                { label: 'Sign-ins', value: `${found.examined}${found.truncated ? ' (the newest)' : ''}` },
                { label: 'As it is', value: countText(found.now) },
                { label: 'With the draft', value: countText(found.proposed) },
              ]}
            />
          )}
          {found && found.incomplete > 0 ? (
            <Alert type="info">
              {found.incomplete} sign-ins are from before their facts were recorded: browser, country, groups and risk
              are missing, and what is missing spoke against the person.
            </Alert>
          ) : null}
          {found && found.owners.total > 0 && found.owners.letIn === 0 ? (
            <Alert type="error">No owner could sign in the way they did last. This can’t be put in force.</Alert>
          ) : null}
        </SpaceBetween>
      </Container>
      {found ? (
        <Table<Person>
          variant="container"
          wrapLines
          items={found.people}
          trackBy="personId"
          ariaLabels={{ tableLabel: 'People whom it would treat otherwise' }}
          header={
            <Header variant="h2" counter={`(${found.people.length})`}>
              People whom it would treat otherwise
            </Header>
          }
          columnDefinitions={[
            { id: 'name', header: 'Person', isRowHeader: true, cell: (one) => one.personName },
            { id: 'refuse', header: 'Refused', cell: (one) => one.refuse },
            { id: 'stronger', header: 'Asked for more', cell: (one) => one.stronger },
            { id: 'allow', header: 'Let in', cell: (one) => one.allow },
            { id: 'last', header: 'Last time', cell: ({ last }) => <Ago at={last.at} /> },
            { id: 'service', header: 'To', cell: ({ last }) => last.service },
            { id: 'from', header: 'From', cell: ({ last }) => `${last.address} (${last.country})` },
            { id: 'after', header: 'Would be', cell: ({ last }) => <Outcome outcome={last.after} /> },
            { id: 'why', header: 'Because of', cell: ({ last }) => reasonsText(last.reasons) },
          ]}
          empty={<Box color="text-body-secondary">Nobody: every sign-in would come out as it does now.</Box>}
        />
      ) : null}
    </SpaceBetween>
  );
}
