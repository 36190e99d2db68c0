import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import type { SignInPolicySet, SignInPolicyVersion } from '../api/wire.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { DryRunPanel } from './DryRunPanel.tsx';
import { PublishDialog } from './PublishDialog.tsx';
import { SignInHistory } from './SignInHistory.tsx';
import { SignInRecords } from './SignInRecords.tsx';
import { SignInPolicyEditor } from './SignInPolicyEditor.tsx';

/** Who may sign in, when and how: to Cordon, and to every app that people open through it. */
export function SignInPolicyPage() {
  const current = useQuery({
    queryKey: ['sign-in-policy'],
    queryFn: async () => taken(await api.GET('/api/v1/sign-in-policy')),
  });
  return <QueryState query={current}>{(found) => <Loaded current={found} key={found.version} />}</QueryState>;
}

function Loaded({ current }: { readonly current: SignInPolicyVersion }) {
  const can = useCan();
  const [draft, setDraft] = useState<SignInPolicySet>(current.set);
  const [isPublishing, setPublishing] = useState(false);
  const [tab, setTab] = useState('policies');
  const isChanged = JSON.stringify(draft) !== JSON.stringify(current.set);
  return (
    <Page
      title="Sign-in policy"
      description="Decides every sign-in to Cordon and to each app: by factor, network, country, device, risk and group."
      actions={
        can('sso.write') ? (
          <SpaceBetween direction="horizontal" size="xs">
            <Button disabled={!isChanged} onClick={() => setDraft(current.set)}>
              Discard
            </Button>
            <Button variant="primary" disabled={!isChanged} onClick={() => setPublishing(true)}>
              Put in force
            </Button>
          </SpaceBetween>
        ) : null
      }
    >
      <SpaceBetween size="m">
        {isChanged ? (
          <Alert type="info">
            You have changes that aren’t in force. Try them on last month’s sign-ins first, under “Dry run”.
          </Alert>
        ) : null}
        <Tabs
          activeTabId={tab}
          onChange={({ detail }) => setTab(detail.activeTabId)}
          tabs={[
            { id: 'policies', label: 'Policies', content: <SignInPolicyEditor set={draft} onChange={setDraft} /> },
            { id: 'dry-run', label: 'Dry run', content: <DryRunPanel set={draft} /> },
            { id: 'sign-ins', label: 'Sign-ins', content: <SignInRecords /> },
            {
              id: 'history',
              label: 'History',
              content: (
                <SignInHistory
                  current={current.version}
                  onTake={(set) => {
                    setDraft(set);
                    setTab('policies');
                  }}
                />
              ),
            },
          ]}
        />
      </SpaceBetween>
      {isPublishing ? (
        <PublishDialog set={draft} basedOn={current.version} onClose={() => setPublishing(false)} />
      ) : null}
    </Page>
  );
}
