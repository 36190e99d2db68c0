import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { Ago } from '../display/Ago.tsx';
import { showBytes } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { ownBackupQuery } from './backup-queries.ts';
import { Target } from './Target.tsx';
import { showSpan } from './span.ts';

/** What would bring Cordon itself back. It is restored from the command line, when nothing of this runs. */
export function OwnBackup() {
  const can = useCan();
  const query = useQuery(ownBackupQuery);
  const run = useCommand<void, unknown>({
    run: async () => taken(await api.POST('/api/v1/own-backup/jobs', {})),
    done: 'Cordon is backing itself up.',
    changes: [['own-backup']],
  });
  const own = query.data;
  if (!own) return <ProblemAlert error={query.error} />;
  const [newest] = own.snapshots;
  return (
    <Container
      header={
        <Header
          variant="h2"
          description="Database, lake, keys and policies: what it takes to start again on another machine."
          actions={
            can('backup.run') && own.key !== null ? (
              <Button loading={run.isPending} onClick={() => run.mutate()}>
                Back up Cordon now
              </Button>
            ) : null
          }
        >
          Cordon itself
        </Header>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={run.error} />
        {own.key === null ? (
          <Alert type="warning" header="Cordon is not backed up">
            <Box variant="p">
              Make the key that will open its backups, and keep it elsewhere:{' '}
              <Box variant="code">cordon backup recovery-key recovery.key</Box>
            </Box>
          </Alert>
        ) : null}
        {own.besideData ? (
          <Alert type="warning">
            The backups lie in Cordon&apos;s own data directory and are lost with it. Set OBJECTS_URL to another place.
          </Alert>
        ) : null}
        {own.key === null ? null : (
          <KeyValuePairs
            columns={4}
            items={[
              { label: 'Recovery key', value: <Box variant="code">{own.key}</Box> },
              { label: 'Where', value: own.place },
              { label: 'Every', value: own.everyS === null ? 'Only when asked' : showSpan(own.everyS) },
              {
                label: 'Newest',
                value: newest ? (
                  <>
                    <Ago at={newest.at} />, {showBytes(newest.storedBytes)} new
                  </>
                ) : (
                  'None yet'
                ),
              },
              { label: 'Newest verified', value: <Ago at={own.verifiedTakenAt} none="none" /> },
              {
                label: 'Recovery point',
                value: <Target value={own.recovery.rpoS} isMet={own.recovery.rpoMet} target={own.recovery.targetS} />,
              },
            ]}
          />
        )}
      </SpaceBetween>
    </Container>
  );
}
