import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Toggle from '@cloudscape-design/components/toggle';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { App } from '../api/wire.ts';
import { showCount } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { LearnedOperations } from './LearnedOperations.tsx';
import { TeacherTable } from './TeacherTable.tsx';

const POLL_MS = 5_000;

interface Choice {
  readonly without: readonly string[];
  readonly closed: boolean;
}

const proposalQuery = (id: string, { without, closed }: Choice) =>
  queryOptions({
    queryKey: ['apps', id, 'learning', without, closed],
    queryFn: async () =>
      taken(
        await api.GET('/api/v1/apps/{id}/learning/proposal', {
          params: { path: { id }, query: { without: [...without], closed: closed ? 'true' : 'false' } },
        }),
      ),
    refetchInterval: POLL_MS,
    placeholderData: (before) => before,
  });

/** What traffic teaches of an app: who taught it, how it stands to the description, and making it the description. */
export function LearningPanel({ app }: { readonly app: App }) {
  const canWrite = useCan()('app.write');
  const [without, setWithout] = useState<readonly string[]>([]);
  const [closed, setClosed] = useState(false);
  const { settings, description } = app;
  const proposal = useQuery(proposalQuery(app.id, { without, closed }));
  const params = { path: { id: app.id } };
  const patch = useCommand({
    run: async (body: { learn?: 'off' | 'observe'; unknownOperations?: 'refuse'; validateRequests?: 'enforce' }) =>
      taken(await api.PATCH('/api/v1/apps/{id}', { params, body })),
    done: 'The change is on its way to the gateways.',
    changes: [['apps'], ['audit']],
  });
  const accept = useCommand({
    run: async (digest: string) =>
      taken(
        await api.POST('/api/v1/apps/{id}/learning/accept', {
          params,
          body: { digest, without: [...without], closed, replace: isLearned(app) },
        }),
      ),
    done: 'The proposal is the description now. Calls that don’t fit are noted, none is refused for it yet.',
    changes: [['apps'], ['audit']],
  });
  const forget = useCommand({
    run: async (integration: string) =>
      taken(await api.DELETE('/api/v1/apps/{id}/learning/lessons', { params: { ...params, query: { integration } } })),
    done: 'What it taught is forgotten.',
    changes: [['apps', app.id, 'learning'], ['audit']],
  });
  const { data } = proposal;
  const isAccepted = data !== undefined && data.operations.every(({ standing }) => standing === 'known');
  return (
    <SpaceBetween size="l">
      <ProblemAlert error={proposal.error ?? patch.error ?? accept.error ?? forget.error} />
      <Container
        header={
          <Header
            variant="h2"
            description="A description proposed from the calls that pass. Names and types are kept, values never."
            actions={
              canWrite ? (
                <SpaceBetween direction="horizontal" size="xs">
                  {description && settings.validateRequests !== 'enforce' ? (
                    <Button
                      loading={patch.isPending}
                      onClick={() =>
                        patch.mutate({ validateRequests: 'enforce', unknownOperations: 'refuse', learn: 'off' })
                      }
                    >
                      Enforce description
                    </Button>
                  ) : null}
                  <Button
                    variant="primary"
                    disabled={!data || data.operations.length === 0 || isWritten(app)}
                    loading={accept.isPending}
                    onClick={() => data && accept.mutate(data.digest)}
                  >
                    Accept proposal
                  </Button>
                </SpaceBetween>
              ) : null
            }
          >
            Learning
          </Header>
        }
      >
        <SpaceBetween size="m">
          <Toggle
            checked={settings.learn === 'observe'}
            disabled={!canWrite || patch.isPending}
            onChange={({ detail }) => patch.mutate({ learn: detail.checked ? 'observe' : 'off' })}
          >
            Learn from calls
          </Toggle>
          {settings.learn === 'observe' && !description && settings.unknownOperations === 'refuse' ? (
            <Alert type="info">
              Calls that no description names are refused, so nothing can be learned. Allow them under Settings, and
              grant them by access or path.
            </Alert>
          ) : null}
          {isWritten(app) ? (
            <Alert type="info">
              Somebody gave this app a description. Compare here; to replace it, use the command line with --replace.
            </Alert>
          ) : null}
          <KeyValuePairs
            columns={4}
            items={[
              { label: 'Calls learned from', value: showCount(data?.calls ?? 0) },
              { label: 'Operations', value: showCount(data?.operations.length ?? 0) },
              { label: 'Described, not seen', value: showCount(data?.unseen.length ?? 0) },
              {
                label: 'Requests are',
                value: description ? MODES[settings.validateRequests ?? 'enforce'] : 'not checked',
              },
            ]}
          />
          {data && data.dropped > 0 ? (
            <Alert type="warning">{showCount(data.dropped)} calls found no room: too much is known of this app.</Alert>
          ) : null}
          {isAccepted && data.operations.length > 0 ? (
            <Box color="text-status-success">The description says all that was learned.</Box>
          ) : null}
          <Checkbox checked={closed} onChange={({ detail }) => setClosed(detail.checked)}>
            Request bodies may hold only fields that were seen
          </Checkbox>
        </SpaceBetween>
      </Container>
      <TeacherTable
        teachers={data?.teachers ?? []}
        canWrite={canWrite}
        onLeaveOut={(id, isOut) => setWithout(isOut ? [...without, id] : without.filter((one) => one !== id))}
        onForget={(id) => forget.mutate(id)}
      />
      <LearnedOperations proposal={data} />
    </SpaceBetween>
  );
}

const MODES = {
  enforce: 'refused unless they fit',
  observe: 'noted where they don’t fit',
  off: 'not checked',
} as const;

const isLearned = ({ description }: App): boolean => description?.version === '0-observed';
const isWritten = (app: App): boolean => app.description !== null && !isLearned(app);
