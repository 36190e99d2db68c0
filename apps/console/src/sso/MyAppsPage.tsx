import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Cards from '@cloudscape-design/components/cards';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import type { LaunchableApp } from '../api/wire.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

/** What the signed-in person may open, one click each. */
export function MyAppsPage() {
  const apps = useQuery({
    queryKey: ['my-apps'],
    queryFn: async () => taken(await api.GET('/api/v1/my-apps')).items,
  });
  return (
    <Page title="My apps" description="Tools that you open with your sign-in to Cordon.">
      <ProblemAlert error={apps.error} onRetry={() => void apps.refetch()} />
      <Cards<LaunchableApp>
        items={apps.data ?? []}
        loading={apps.isPending}
        loadingText="Loading your apps"
        trackBy="id"
        ariaLabels={{ itemSelectionLabel: (_state, app) => app.name, selectionGroupLabel: 'My apps' }}
        cardsPerRow={[{ cards: 1 }, { minWidth: 600, cards: 3 }]}
        cardDefinition={{
          header: (app) => app.name,
          sections: [
            {
              id: 'open',
              content: (app) =>
                app.url === null ? (
                  <Box color="text-body-secondary">
                    Open it at its own address; it then signs you in through Cordon.
                  </Box>
                ) : (
                  <Button href={app.url} target="_blank" iconName="external" ariaLabel={`Open ${app.name}`}>
                    Open
                  </Button>
                ),
            },
          ],
        }}
        empty={
          <Box textAlign="center" padding="m" color="text-body-secondary">
            No app was given to you yet.
          </Box>
        }
      />
    </Page>
  );
}
