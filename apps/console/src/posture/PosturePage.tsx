import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type PostureFilter, postureOverviewQuery } from '../connectors/connector-queries.ts';
import { POSTURE_EXPORTS, PostureSummary } from '../connectors/PostureTable.tsx';
import { Page } from '../shell/Page.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { ControlTable } from './ControlTable.tsx';
import { MovedTable, EndingTable } from './MovedTable.tsx';
import { PostureFilterBar } from './PostureFilterBar.tsx';
import { ToolTable } from './ToolTable.tsx';
import { WorstTable } from './WorstTable.tsx';

/** How the settings, keys and grants of all connected tools stand, by what is worst. */
export function PosturePage() {
  const [filter, setFilter] = useState<PostureFilter>({ result: 'fail' });
  const posture = useQuery(postureOverviewQuery(filter));
  const wanted = new URLSearchParams(
    Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  ).toString();
  return (
    <Page
      title="Posture"
      description="Settings, keys and grants of all connected tools, held against the checks."
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          {POSTURE_EXPORTS.map(({ format, text }) => (
            <Button key={format} iconName="download" href={`/api/v1/posture/export?format=${format}&${wanted}`}>
              {text}
            </Button>
          ))}
        </SpaceBetween>
      }
    >
      <SpaceBetween size="l">
        <PostureFilterBar filter={filter} onChange={setFilter} />
        <QueryState query={posture}>
          {(data) => (
            <SpaceBetween size="l">
              <PostureSummary score={data.score} />
              <ToolTable tools={data.tools} />
              <WorstTable items={data.items} total={data.total} />
              {filter.framework === undefined ? null : (
                <ControlTable controls={data.controls} onChoose={(control) => setFilter({ ...filter, control })} />
              )}
              <EndingTable ending={data.ending} />
              <MovedTable changes={data.changes} />
            </SpaceBetween>
          )}
        </QueryState>
      </SpaceBetween>
    </Page>
  );
}
