import Tabs from '@cloudscape-design/components/tabs';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { DataMapPanel } from './DataMapPanel.tsx';
import { FlowsPanel } from './FlowsPanel.tsx';
import { InventoryPanel } from './InventoryPanel.tsx';
import { LabelChanges } from './LabelChanges.tsx';
import { ProcessingPanel } from './ProcessingPanel.tsx';
import { RetentionPanel } from './RetentionPanel.tsx';
import { SpreadPanel } from './SpreadPanel.tsx';
import { SubjectPanel } from './SubjectPanel.tsx';
import { TransfersPanel } from './TransfersPanel.tsx';

const NEEDS: Readonly<Record<string, string>> = { retention: 'retention.read', subjects: 'subject.read' };

/** What data there is, how it is labelled, where it goes and how long it stays. */
export function DataPage() {
  const can = useCan();
  const tabs = [
    { id: 'inventory', label: 'Inventory', content: <InventoryPanel /> },
    { id: 'map', label: 'Map', content: <DataMapPanel /> },
    { id: 'labels', label: 'Label review', content: <LabelChanges /> },
    { id: 'flows', label: 'Flows', content: <FlowsPanel /> },
    { id: 'spread', label: 'Spread', content: <SpreadPanel /> },
    { id: 'subjects', label: 'Subject requests', content: <SubjectPanel /> },
    { id: 'retention', label: 'Retention', content: <RetentionPanel /> },
    { id: 'processing', label: 'Processing record', content: <ProcessingPanel /> },
    { id: 'transfers', label: 'Transfers', content: <TransfersPanel /> },
  ];
  return (
    <Page
      title="Data"
      description="Names, counts and keyed fingerprints of what apps hold and integrations move; never a value."
    >
      <Tabs tabs={tabs.filter(({ id }) => can(NEEDS[id] ?? 'data.read'))} />
    </Page>
  );
}
