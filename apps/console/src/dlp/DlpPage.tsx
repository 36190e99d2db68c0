import Tabs from '@cloudscape-design/components/tabs';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { IncidentsPanel } from './IncidentsPanel.tsx';
import { LabelSyncPanel } from './LabelSyncPanel.tsx';
import { PassesPanel } from './PassesPanel.tsx';
import { ScansPanel } from './ScansPanel.tsx';
import { TokensPanel } from './TokensPanel.tsx';

/** What lies where it should not, what moved that should not, and what people decided. */
export function DlpPage() {
  const can = useCan();
  const tabs = [
    { id: 'incidents', label: 'Incidents', content: <IncidentsPanel /> },
    { id: 'scans', label: 'Scans', content: <ScansPanel /> },
    { id: 'passes', label: 'Justifications', content: <PassesPanel /> },
    { id: 'labels', label: 'Labels of tools', content: <LabelSyncPanel /> },
    ...(can('dlp.write') ? [{ id: 'tokens', label: 'De-identification', content: <TokensPanel /> }] : []),
  ];
  return (
    <Page
      title="Data loss prevention"
      description="What rules found in tools and in calls: counts, places and masked evidence; never a value."
    >
      <Tabs tabs={tabs} />
    </Page>
  );
}
