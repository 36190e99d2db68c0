import Spinner from '@cloudscape-design/components/spinner';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useParams } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { useGo } from '../shell/follow.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';

/** Takes the vendor's answer out of the address, so that it stays in no history and goes to no other page. */
function takeAnswer(): URLSearchParams {
  const answer = new URLSearchParams(window.location.search);
  window.history.replaceState(window.history.state, '', window.location.pathname);
  return answer;
}

/** Where a vendor's consent page sends a person back to. */
export function ConnectPage() {
  const { id } = useParams({ from: '/inside/connect/$id' });
  const go = useGo();
  const [answer] = useState(takeAnswer);
  const { error, mutate } = useCommand({
    run: async () => {
      const [code, iss, refused, why] = ['code', 'iss', 'error', 'error_description'].map((name) => answer.get(name));
      const body = {
        appId: id,
        state: answer.get('state') ?? '',
        ...(code ? { code } : {}),
        ...(iss ? { iss } : {}),
        ...(refused ? { error: refused } : {}),
        ...(why ? { errorDescription: why } : {}),
      };
      return taken(await api.POST('/api/v1/credential-connections', { body }));
    },
    done: 'Connected. Calls go out with the new token.',
    changes: [['apps'], ['audit']],
    onDone: () => go(`/apps/${id}?tab=credentials`),
  });
  // Once: the answer counts once.
  useEffect(() => mutate(), [mutate]);
  return (
    <Page title="Connecting" parents={[{ text: 'Apps', href: '/apps' }]}>
      {error ? (
        <SpaceBetween size="m">
          <ProblemAlert error={error} />
          <RouteLink href={`/apps/${id}`}>Back to the app</RouteLink>
        </SpaceBetween>
      ) : (
        <Spinner size="large" />
      )}
    </Page>
  );
}
