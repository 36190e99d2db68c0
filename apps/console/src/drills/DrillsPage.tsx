import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Tabs from '@cloudscape-design/components/tabs';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Drill, DrillQuarter, DrillScenario } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { DrillSchedules } from './DrillSchedules.tsx';
import { DrillStart } from './DrillStart.tsx';
import { DrillStatus, ModeBadge } from './DrillBadges.tsx';
import { DrillTargets } from './DrillTargets.tsx';
import { drillsQuery, scenariosQuery, trendQuery } from './drill-queries.ts';
import { tookText } from './drill-text.ts';

/** Exercises: what was played and how it went, what can be played, what comes again. */
export function DrillsPage() {
  const mayRun = useCan()('drill.run');
  const [started, setStarted] = useState<DrillScenario | null>(null);
  return (
    <Page
      title="Drills"
      description="Live fire through the real gateway, detections and playbooks, and tabletops; measured, with a report."
    >
      <Tabs
        tabs={[
          { id: 'drills', label: 'Drills', content: <Played /> },
          {
            id: 'scenarios',
            label: 'Scenarios',
            content: <Scenarios onStart={mayRun ? setStarted : null} />,
          },
          { id: 'trend', label: 'Trend', content: <Trend /> },
          { id: 'schedules', label: 'Schedules', content: <DrillSchedules mayRun={mayRun} /> },
          ...(mayRun ? [{ id: 'targets', label: 'Test systems', content: <DrillTargets /> }] : []),
        ]}
      />
      {started ? <DrillStart scenario={started} onClose={() => setStarted(null)} /> : null}
    </Page>
  );
}

function Played() {
  const drills = useQuery(drillsQuery);
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={drills.error} />
      <Table<Drill>
        variant="container"
        wrapLines
        loading={drills.isPending}
        loadingText="Loading drills"
        items={drills.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Drills' }}
        header={<Header counter={`(${drills.data?.length ?? 0})`}>Drills</Header>}
        columnDefinitions={[
          { id: 'number', header: 'Drill', cell: (row) => row.number },
          {
            id: 'title',
            header: 'Scenario',
            isRowHeader: true,
            cell: (row) => <RouteLink href={`/drills/${row.id}`}>{row.title}</RouteLink>,
          },
          { id: 'mode', header: 'Mode', cell: (row) => <ModeBadge mode={row.mode} /> },
          { id: 'status', header: 'Status', cell: (row) => <DrillStatus status={row.status} /> },
          { id: 'met', header: 'Met', cell: (row) => (row.score ? `${row.score.met} of ${row.score.total}` : '-') },
          { id: 'detect', header: 'Detected in', cell: (row) => tookText(row.score?.measures.detectMs ?? null) },
          { id: 'cut', header: 'Cut off in', cell: (row) => tookText(row.score?.measures.cutOffMs ?? null) },
          { id: 'began', header: 'Planned', cell: (row) => <Ago at={row.createdAt} /> },
        ]}
        empty={<Box color="text-body-secondary">Nothing was played yet. Choose a scenario.</Box>}
      />
    </SpaceBetween>
  );
}

function Scenarios({ onStart }: { readonly onStart: ((of: DrillScenario) => void) | null }) {
  const scenarios = useQuery(scenariosQuery);
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={scenarios.error} />
      <Table<DrillScenario>
        variant="container"
        wrapLines
        loading={scenarios.isPending}
        loadingText="Loading scenarios"
        items={scenarios.data ?? []}
        trackBy="name"
        ariaLabels={{ tableLabel: 'Scenarios' }}
        header={<Header counter={`(${scenarios.data?.length ?? 0})`}>Scenarios</Header>}
        columnDefinitions={[
          { id: 'title', header: 'Scenario', isRowHeader: true, minWidth: 260, cell: (row) => row.title },
          { id: 'replays', header: 'Replays', cell: (row) => row.incident?.when ?? 'made up' },
          {
            id: 'modes',
            header: 'Modes',
            cell: (row) => (
              <SpaceBetween direction="horizontal" size="xxs">
                {row.modes.map((mode) => (
                  <ModeBadge key={mode} mode={mode} />
                ))}
              </SpaceBetween>
            ),
          },
          { id: 'attack', header: 'ATT&CK', cell: (row) => row.attack.map(({ id }) => id).join(', ') },
          { id: 'roles', header: 'Roles', cell: (row) => row.roles.join(', ') },
          ...(onStart
            ? [
                {
                  id: 'start',
                  header: 'Action',
                  cell: (row: DrillScenario) => (
                    <Button variant="inline-link" ariaLabel={`Play ${row.title}`} onClick={() => onStart(row)}>
                      Play
                    </Button>
                  ),
                },
              ]
            : []),
        ]}
      />
    </SpaceBetween>
  );
}

function Trend() {
  const trend = useQuery(trendQuery);
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={trend.error} />
      <Table<DrillQuarter>
        variant="container"
        wrapLines
        loading={trend.isPending}
        loadingText="Loading the trend"
        items={trend.data ?? []}
        trackBy="quarter"
        ariaLabels={{ tableLabel: 'Trend' }}
        header={<Header description="Medians over drills that ended; aborted ones don’t count.">By quarter</Header>}
        columnDefinitions={[
          { id: 'quarter', header: 'Quarter', isRowHeader: true, cell: (row) => row.quarter },
          { id: 'drills', header: 'Drills', cell: (row) => `${row.drills}, ${row.liveFires} live` },
          {
            id: 'met',
            header: 'Met',
            cell: (row) => (row.metShare === null ? '-' : `${Math.round(row.metShare * 100)}%`),
          },
          { id: 'detect', header: 'To detect', cell: (row) => tookText(row.detectMs) },
          { id: 'decide', header: 'To decide', cell: (row) => tookText(row.decideMs) },
          { id: 'contain', header: 'To contain', cell: (row) => tookText(row.containMs) },
          { id: 'notify', header: 'To notify', cell: (row) => tookText(row.notifyMs) },
          { id: 'missing', header: 'Missing', cell: (row) => row.missing },
        ]}
        empty={<Box color="text-body-secondary">No drill has ended yet.</Box>}
      />
    </SpaceBetween>
  );
}
