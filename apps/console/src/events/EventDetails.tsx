import Box from '@cloudscape-design/components/box';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import KeyValuePairs, { type KeyValuePairsProps } from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import type { StoredEvent } from '../api/wire.ts';
import { showBytes, showMs } from '../display/number.ts';
import { showTime } from '../display/time.ts';
import { RouteLink } from '../shell/RouteLink.tsx';
import { Decision } from './Decision.tsx';
import { type EventFacts, factsOf, valueAt } from './event-facts.ts';
import { eventsHref } from './event-search.ts';

type Pair = KeyValuePairsProps.Pair;

/** Leaves out what the event doesn't say. */
function pairs(rows: readonly (readonly [string, unknown])[]): Pair[] {
  return rows.flatMap(([label, value]) => {
    if (value === undefined || value === null || value === '') return [];
    return [
      {
        label,
        value: typeof value === 'string' || typeof value === 'number' ? String(value) : (value as Pair['value']),
      },
    ];
  });
}

/** One event whole: what was decided and why, the call, the data that was seen, and the raw OCSF record. */
export function EventDetails({ stored }: { readonly stored: StoredEvent }) {
  const facts = factsOf(stored);
  const { event } = stored;
  const json = JSON.stringify(event, null, 2);
  return (
    <SpaceBetween size="l">
      <Section title="Decision" items={decisionRows(facts)} />
      <Section title="Who and what" items={partyRows(facts, event)} />
      <Section title="Known about it" items={knownRows(event)} />
      <Section title="Call" items={callRows(facts, event)} />
      {facts.findings.length > 0 ? <Findings facts={facts} /> : null}
      <Section
        title="Record"
        items={pairs([
          ['Time', showTime(stored.time)],
          ['In the lake since', showTime(stored.ingestedAt)],
          ['Class', facts.kind],
          ['Source', valueAt(event, 'metadata.log_name')],
          ['Gateway', valueAt(event, 'unmapped.cordon.gateway_id')],
          ['Snapshot', valueAt(event, 'unmapped.cordon.snapshot_version')],
          ['Event id', facts.id],
        ])}
      />
      <ExpandableSection
        headerText="Raw event"
        headerActions={
          <CopyToClipboard
            variant="icon"
            textToCopy={json}
            copyButtonAriaLabel="Copy the raw event"
            copySuccessText="Copied"
            copyErrorText="Copy it by hand"
          />
        }
      >
        <pre className="event-json">{json}</pre>
      </ExpandableSection>
    </SpaceBetween>
  );
}

function Section({ title, items }: { readonly title: string; readonly items: Pair[] }) {
  if (items.length === 0) return null;
  return (
    <div>
      <Box variant="h3" padding={{ bottom: 'xs' }}>
        {title}
      </Box>
      <KeyValuePairs columns={2} items={items} />
    </div>
  );
}

function decisionRows({ decision, reason, policies, status }: EventFacts): Pair[] {
  return pairs([
    ['Decision', decision === undefined ? undefined : <Decision key="decision" decision={decision} />],
    ['Answered', status === undefined ? undefined : `HTTP ${status}`],
    ['Reason', reason],
    ['Policies', policies.join(', ')],
  ]);
}

function partyRows({ who, integrationId, app, appId }: EventFacts, event: unknown): Pair[] {
  const integration =
    integrationId === undefined ? (
      who
    ) : (
      <RouteLink key="integration" href={`/integrations/${integrationId}`}>
        {who}
      </RouteLink>
    );
  return pairs([
    [integrationId === undefined ? 'Who' : 'Integration', integration],
    [
      'App',
      appId === undefined ? (
        app
      ) : (
        <RouteLink key="app" href={`/apps/${appId}`}>
          {app}
        </RouteLink>
      ),
    ],
    ['From', valueAt(event, 'src_endpoint.ip')],
    ['Client', valueAt(event, 'http_request.user_agent')],
    ['Target', valueAt(event, 'entity.name')],
    ['Target type', valueAt(event, 'entity.type')],
  ]);
}

const listed = (value: unknown): string | undefined =>
  Array.isArray(value) && value.length > 0 ? value.join(', ') : undefined;

/** What enrichment added: no part of what the sender said. */
function knownRows(event: unknown): Pair[] {
  const known = valueAt(event, 'unmapped.enrichment');
  const asn = valueAt(event, 'src_endpoint.autonomous_system.number');
  const holder = valueAt(event, 'src_endpoint.autonomous_system.name');
  const threats = valueAt(known, 'threats');
  const list = Array.isArray(threats) ? threats.map(String) : [];
  return pairs([
    ['Country', valueAt(event, 'src_endpoint.location.country')],
    ['Network', typeof asn !== 'number' ? undefined : `AS${asn} ${typeof holder === 'string' ? holder : ''}`],
    ['Kind of network', listed(valueAt(known, 'network'))],
    [
      'Threat lists',
      list.length === 0 ? undefined : (
        <RouteLink key="threats" href={eventsHref({ q: `threat:${list[0]}` })}>
          {list.join(', ')}
        </RouteLink>
      ),
    ],
    ['First seen with', listed(valueAt(known, 'first_seen'))],
    ['Client is', valueAt(known, 'client.name')],
    ['Person', valueAt(known, 'person.name')],
    ['App of the estate', valueAt(known, 'app.name')],
    ['Label of its data', valueAt(known, 'label')],
  ]);
}

function callRows(facts: EventFacts, event: unknown): Pair[] {
  const { operation, method, path, durationMs, upstreamMs } = facts;
  const [sent, received] = [valueAt(event, 'http_request.body_length'), valueAt(event, 'http_response.body_length')];
  return pairs([
    ['Operation', operation],
    ['Request', method === undefined ? undefined : `${method} ${path ?? ''}`],
    ['Path template', valueAt(event, 'unmapped.cordon.path_template')],
    ['Took', durationMs === undefined ? undefined : showMs(durationMs)],
    ['Of that, the app', upstreamMs === undefined ? undefined : showMs(upstreamMs)],
    ['Sent', typeof sent === 'number' ? showBytes(sent) : undefined],
    ['Received', typeof received === 'number' ? showBytes(received) : undefined],
  ]);
}

function Findings({ facts }: { readonly facts: EventFacts }) {
  return (
    <div>
      <Box variant="h3" padding={{ bottom: 'xs' }}>
        Data seen
      </Box>
      <Table
        variant="embedded"
        contentDensity="compact"
        items={[...facts.findings]}
        columnDefinitions={[
          { id: 'class', header: 'Class', cell: (row) => row.class, isRowHeader: true },
          { id: 'direction', header: 'In', cell: (row) => row.direction },
          { id: 'count', header: 'Count', cell: (row) => row.count },
          { id: 'action', header: 'Action', cell: (row) => row.action },
        ]}
      />
    </div>
  );
}
