import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import Table from '@cloudscape-design/components/table';
import Toggle from '@cloudscape-design/components/toggle';
import type { LearningProposal } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { showCount } from '../display/number.ts';
import { useFollow } from '../shell/follow.ts';

type Teacher = LearningProposal['teachers'][number];

/** Whose calls were learned from. One that sends junk is left out, and what it taught is forgotten. */
export function TeacherTable(props: {
  readonly teachers: readonly Teacher[];
  readonly canWrite: boolean;
  readonly onLeaveOut: (id: string, isOut: boolean) => void;
  readonly onForget: (id: string) => void;
}) {
  const { teachers, canWrite, onLeaveOut, onForget } = props;
  const follow = useFollow();
  return (
    <Table<Teacher>
      variant="container"
      items={[...teachers]}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Integrations that taught' }}
      header={
        <Header variant="h2" counter={`(${teachers.length})`} description="Only calls that the app accepted teach.">
          Integrations that taught
        </Header>
      }
      empty={<Box color="text-body-secondary">No call was learned from yet.</Box>}
      columnDefinitions={[
        {
          id: 'name',
          header: 'Integration',
          isRowHeader: true,
          cell: (row) => (
            <Link href={`/integrations/${row.id}`} onFollow={follow}>
              {row.name}
            </Link>
          ),
        },
        { id: 'calls', header: 'Calls', cell: (row) => showCount(row.calls) },
        { id: 'since', header: 'Since', cell: (row) => <Ago at={row.firstAt} /> },
        { id: 'last', header: 'Last', cell: (row) => <Ago at={row.lastAt} /> },
        {
          id: 'counts',
          header: 'Counts',
          cell: (row) => (
            <Toggle
              ariaLabel={`Count what ${row.name} taught`}
              checked={!row.isLeftOut}
              onChange={({ detail }) => onLeaveOut(row.id, !detail.checked)}
            />
          ),
        },
        ...(canWrite
          ? [
              {
                id: 'forget',
                header: '',
                cell: (row: Teacher) => (
                  <Button
                    variant="inline-link"
                    ariaLabel={`Forget what ${row.name} taught`}
                    onClick={() => onForget(row.id)}
                  >
                    Forget
                  </Button>
                ),
              },
            ]
          : []),
      ]}
    />
  );
}
