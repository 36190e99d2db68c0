import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Ago } from '../display/Ago.tsx';
import { showBytes, showCount } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';
import { RouteLink } from '../shell/RouteLink.tsx';
import { setPath } from './data-path.ts';
import { type DataFlow, type DataMap, flowsQuery } from './data-queries.ts';
import { flowText, HOWS } from './flow-text.ts';
import { PurposeForm } from './FlowsPanel.tsx';
import { LabelBadge } from './LabelBadge.tsx';
import { PlaceForm } from './PlaceForm.tsx';

export function nameOfNode(map: DataMap, id: string): string {
  const set = map.sets.find((one) => one.id === id);
  if (set) return `${set.app}: ${set.object}`;
  const app = map.apps.find((one) => one.id === id);
  if (app) return app.app;
  const integration = map.integrations.find((one) => one.id === id);
  return integration ? `${integration.name} itself` : id;
}

/** The panel's title for a node or line; null when it is no longer on the map. */
export function selectionTitle(map: DataMap, selected: string): string | null {
  const line = map.lines.find(({ id }) => id === selected);
  if (line) return `${nameOfNode(map, line.from)} → ${nameOfNode(map, line.to)}`;
  const name = nameOfNode(map, selected);
  return name === selected ? null : name;
}

interface DetailsProps {
  readonly map: DataMap;
  readonly selected: string;
  readonly onApp: (app: string) => void;
}

export function DataMapDetails({ map, selected, onApp }: DetailsProps) {
  const line = map.lines.find(({ id }) => id === selected);
  if (line) return <Line line={line} />;
  const touching = map.lines.filter(({ from, to }) => from === selected || to === selected);
  return (
    <SpaceBetween size="m">
      <NodeFacts map={map} selected={selected} onApp={onApp} />
      <Box variant="h3">Flows</Box>
      {touching.length === 0 ? <Box color="text-body-secondary">None is known.</Box> : null}
      {touching.map((one) => (
        <Box key={one.id}>
          {`${nameOfNode(map, one.from)} → ${nameOfNode(map, one.to)}, ${HOWS[one.how]} `}
          <LabelBadge label={one.label} />
        </Box>
      ))}
    </SpaceBetween>
  );
}

function NodeFacts({ map, selected, onApp }: DetailsProps) {
  const [isPlacing, setPlacing] = useState(false);
  const mayPlace = useCan()('data.write');
  const set = map.sets.find(({ id }) => id === selected);
  const app = map.apps.find(({ id }) => id === selected);
  const integration = map.integrations.find(({ id }) => id === selected);
  const place = app ? app.app : integration ? integration.id : null;
  return (
    <SpaceBetween size="s">
      {set ? (
        <KeyValuePairs
          items={[
            { label: 'Label', value: <LabelBadge label={set.label} /> },
            { label: 'Categories', value: set.categories.join(', ') || '—' },
            { label: 'Sightings', value: showCount(set.records) },
            { label: 'Fields and evidence', value: <RouteLink href={setPath(set)}>Open the data set</RouteLink> },
          ]}
        />
      ) : null}
      {app ? (
        <KeyValuePairs
          items={[
            { label: 'Strictest label', value: <LabelBadge label={app.label} /> },
            { label: 'Data sets', value: showCount(app.sets) },
            { label: 'Region', value: app.region ?? '—' },
            { label: 'Vendor', value: app.vendor ?? '—' },
          ]}
        />
      ) : null}
      <SpaceBetween direction="horizontal" size="xs">
        {app && map.level === 'apps' ? <Button onClick={() => onApp(app.app)}>Show its data sets</Button> : null}
        {place !== null && mayPlace ? <Button onClick={() => setPlacing(true)}>Say where it is</Button> : null}
      </SpaceBetween>
      {isPlacing && place !== null ? (
        <PlaceForm app={place} title={app?.app ?? integration?.name ?? place} onClose={() => setPlacing(false)} />
      ) : null}
    </SpaceBetween>
  );
}

function Line({ line }: { readonly line: DataMap['lines'][number] }) {
  const flows = useQuery(flowsQuery);
  const [chosen, setChosen] = useState<DataFlow | null>(null);
  const mayDescribe = useCan()('data.write');
  const items = (flows.data ?? []).filter(({ id }) => line.flowIds.includes(id));
  return (
    <SpaceBetween size="l">
      {items.map((flow) => (
        <SpaceBetween key={flow.id} size="s">
          <Box variant="h3">{flowText(flow)}</Box>
          <KeyValuePairs
            columns={2}
            items={[
              { label: 'Integration', value: flow.integration.name },
              { label: 'Evidence', value: HOWS[flow.how] },
              { label: 'Label', value: <LabelBadge label={flow.label} /> },
              { label: 'Categories', value: flow.categories.join(', ') || '—' },
              { label: 'Volume', value: `${showCount(flow.records)} records, ${showBytes(flow.bytes)}` },
              { label: 'Regions', value: `${flow.regions.from ?? 'not said'} → ${flow.regions.to ?? 'not said'}` },
              { label: 'Purpose', value: flow.purpose ?? 'not said' },
              { label: 'Legal basis', value: flow.legalBasis ?? 'not said' },
              { label: 'Last seen', value: <Ago at={flow.lastSeen} /> },
            ]}
          />
          {mayDescribe ? (
            <Button ariaLabel={`Purpose of ${flowText(flow)}`} onClick={() => setChosen(flow)}>
              Say what it is for
            </Button>
          ) : null}
        </SpaceBetween>
      ))}
      {line.flows > items.length ? (
        <Box color="text-body-secondary">{`${line.flows} flows in all; Flows lists them.`}</Box>
      ) : null}
      {chosen ? <PurposeForm flow={chosen} onClose={() => setChosen(null)} /> : null}
    </SpaceBetween>
  );
}
