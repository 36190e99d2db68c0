import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Table from '@cloudscape-design/components/table';
import type { PostureOverview } from '../connectors/connector-queries.ts';

type Control = PostureOverview['controls'][number];

/** How each control of the chosen framework stands over all tools. */
export function ControlTable({
  controls,
  onChoose,
}: {
  readonly controls: readonly Control[];
  readonly onChoose: (control: string) => void;
}) {
  return (
    <Table<Control>
      variant="container"
      items={controls}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Controls' }}
      header={
        <Header
          variant="h2"
          counter={`(${controls.length})`}
          description="Checks that are mapped to it. Not judged: not visible, not applicable or in error."
        >
          Controls
        </Header>
      }
      columnDefinitions={[
        {
          id: 'id',
          header: 'Control',
          isRowHeader: true,
          cell: (row) => (
            <Button variant="inline-link" ariaLabel={`Only ${row.id}`} onClick={() => onChoose(row.id)}>
              {row.id}
            </Button>
          ),
        },
        { id: 'failed', header: 'Failing', cell: (row) => row.failed },
        { id: 'excepted', header: 'Excepted', cell: (row) => row.excepted },
        { id: 'passed', header: 'Passing', cell: (row) => row.passed },
        { id: 'unjudged', header: 'Not judged', cell: (row) => row.unjudged },
      ]}
      empty={<Box color="text-body-secondary">No check is mapped to this framework.</Box>}
    />
  );
}
