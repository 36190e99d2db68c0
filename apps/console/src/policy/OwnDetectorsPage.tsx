import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Toggle from '@cloudscape-design/components/toggle';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { OwnDetector } from '../api/wire.ts';
import { LabelBadge } from '../data/LabelBadge.tsx';
import { showCount } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';
import { OwnDetectorForm } from './OwnDetectorForm.tsx';
import { OWN_KINDS } from './own-detector-draft.ts';
import { RulePage } from './RulePage.tsx';
import { TryDetectors } from './TryDetectors.tsx';

type Row = OwnDetector & { readonly updatedAt: number };

/** What the organisation looks for beside the shipped detectors. */
export function OwnDetectorsPage() {
  const detectors = useQuery({
    queryKey: ['own-detectors'],
    queryFn: async () =>
      taken(await api.GET('/api/v1/detectors')).items.map((one): Row => ({ ...one, updatedAt: one.changedAt })),
  });
  return (
    <RulePage<Row>
      title="Own detectors"
      description="Your words, expressions, records and documents, looked for wherever the shipped detectors look. Inspection rules name them as custom.<name>."
      noun="detector"
      queryKey="own-detectors"
      rules={detectors}
      columns={[
        { id: 'title', header: 'What it is', cell: ({ title }) => title },
        { id: 'kind', header: 'Kind', cell: ({ kind }) => OWN_KINDS.find(({ value }) => value === kind)?.label },
        { id: 'count', header: 'Looks for', cell: (row) => <LooksFor row={row} /> },
        { id: 'label', header: 'Label', cell: ({ label }) => <LabelBadge label={label} /> },
        { id: 'class', header: 'Class for rules', cell: (row) => <code>{row.class}</code> },
        { id: 'enabled', header: 'On', cell: (row) => <Switch row={row} /> },
      ]}
      removeRule={async (id) => api.DELETE('/api/v1/detectors/{id}', { params: { path: { id } } })}
      removeText="What it looked for is forgotten. Rules that name it stay, and find nothing."
      form={(detector, onClose) => <OwnDetectorForm detector={detector} onClose={onClose} />}
    >
      <TryDetectors />
    </RulePage>
  );
}

function LooksFor({ row }: { readonly row: Row }) {
  if (row.count === 0) return <StatusIndicator type="warning">nothing yet</StatusIndicator>;
  const noun = OWN_KINDS.find(({ value }) => value === row.kind)?.counts ?? '';
  return `${showCount(row.count)} ${noun}`;
}

function Switch({ row }: { readonly row: Row }) {
  const can = useCan();
  const change = useCommand({
    run: async (enabled: boolean) =>
      taken(await api.PATCH('/api/v1/detectors/{id}', { params: { path: { id: row.id } }, body: { enabled } })),
    done: (_, enabled) => `${row.name} is ${enabled ? 'on' : 'off'} at every gateway in a moment.`,
    changes: [['own-detectors'], ['audit']],
  });
  return (
    <Toggle
      ariaLabel={`${row.name} is on`}
      checked={row.enabled}
      disabled={!can('policy.write') || change.isPending}
      onChange={({ detail }) => change.mutate(detail.checked)}
    />
  );
}
