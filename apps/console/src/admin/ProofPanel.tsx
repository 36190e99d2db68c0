import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { Ago } from '../display/Ago.tsx';
import { showCount } from '../display/number.ts';
import { CopyText } from '../integrations/MadeCredentialView.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { WitnessTable } from './WitnessTable.tsx';

const REFRESH_MS = 10_000;

/** What somebody needs who wants to check the trail without trusting Cordon: key, checkpoint, export, witnesses. */
export function ProofPanel() {
  const proof = useQuery({
    queryKey: ['proof'],
    queryFn: async () => taken(await api.GET('/api/v1/proof')),
    refetchInterval: REFRESH_MS,
  });
  const check = useCommand({
    run: async () => taken(await api.POST('/api/v1/proof/check')),
    done: ({ records }) => `All ${showCount(records)} stored records are those that the log took in.`,
  });
  const log = proof.data?.log;
  return (
    <Container
      header={
        <Header
          variant="h2"
          description="A Merkle log signs the trail every few seconds. With its key alone, anyone can check an export offline."
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button loading={check.isPending} disabled={!log} onClick={() => check.mutate(undefined)}>
                Check the records
              </Button>
              <Button iconName="download" href="/api/v1/proof/export" download="audit-trail.ndjson" disabled={!log}>
                Export
              </Button>
            </SpaceBetween>
          }
        >
          Proof
        </Header>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={proof.error ?? check.error} />
        {log ? (
          <>
            <KeyValuePairs
              columns={3}
              items={[
                { label: 'Log', value: log.origin },
                {
                  label: 'Signed',
                  value: log.checkpoint ? (
                    <StatusIndicator type={log.checkpoint.size === log.size ? 'success' : 'in-progress'}>
                      {showCount(log.checkpoint.size)} records, <Ago at={log.checkpoint.signedAt} />
                    </StatusIndicator>
                  ) : (
                    <StatusIndicator type="pending">not yet</StatusIndicator>
                  ),
                },
                {
                  label: 'Verifier key',
                  value: (
                    <span style={{ overflowWrap: 'anywhere' }}>
                      <CopyText text={log.key} label="Copy the verifier key" />
                    </span>
                  ),
                },
              ]}
            />
            <WitnessTable witnesses={proof.data?.witnesses ?? []} size={log.checkpoint?.size ?? 0} />
            <ExpandableSection headerText="How somebody else checks this">
              <Box>
                Keep the verifier key and, now and then, a checkpoint where the operators of Cordon can't change them.
                Then, on any machine:{' '}
                <Box variant="code">cordon proof verify audit-trail.ndjson --key KEY --kept OLD</Box>. It needs no
                network and no access to this Cordon.
              </Box>
            </ExpandableSection>
          </>
        ) : proof.isPending ? null : (
          <StatusIndicator type="pending">The log begins within seconds of the first start.</StatusIndicator>
        )}
      </SpaceBetween>
    </Container>
  );
}
