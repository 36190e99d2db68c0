import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useState } from 'react';
import type { LearningProposal } from '../api/wire.ts';
import { showCount } from '../display/number.ts';

type Operation = LearningProposal['operations'][number];
type Field = Operation['fields'][number];

const ORDER = { new: 0, differs: 1, known: 2 } as const;
const STANDINGS = { new: 'New', differs: 'Differs', known: 'Described' } as const;
const CONFIDENCE = {
  high: { type: 'success', text: 'High' },
  fair: { type: 'info', text: 'Fair' },
  low: { type: 'warning', text: 'Low' },
} as const;

const keyOf = ({ method, path }: Operation): string => `${method} ${path}`;

function Standing({ of }: { readonly of: Operation['standing'] }) {
  return <Badge color={of === 'known' ? 'grey' : of === 'new' ? 'blue' : 'red'}>{STANDINGS[of]}</Badge>;
}

/** Each learned operation beside the description: what is new first. */
export function LearnedOperations({ proposal }: { readonly proposal: LearningProposal | undefined }) {
  const [opened, setOpened] = useState<string | null>(null);
  const names = new Map(proposal?.teachers.map(({ id, name }) => [id, name]));
  const rows = (proposal?.operations ?? []).toSorted(
    (a, b) => ORDER[a.standing] - ORDER[b.standing] || (keyOf(a) < keyOf(b) ? -1 : 1),
  );
  const open = rows.find((row) => keyOf(row) === opened);
  return (
    <>
      <Table<Operation>
        variant="container"
        wrapLines
        items={rows}
        trackBy={keyOf}
        ariaLabels={{ tableLabel: 'Proposed operations' }}
        header={
          <Header variant="h2" counter={`(${rows.length})`}>
            Proposed operations
          </Header>
        }
        empty={<Box color="text-body-secondary">Nothing was learned yet.</Box>}
        columnDefinitions={[
          {
            id: 'operation',
            header: 'Operation',
            isRowHeader: true,
            cell: (row) => (
              <Link
                href="#"
                onFollow={(event) => {
                  event.preventDefault();
                  setOpened(keyOf(row));
                }}
              >
                {keyOf(row)}
              </Link>
            ),
          },
          { id: 'standing', header: 'Description', cell: (row) => <Standing of={row.standing} /> },
          { id: 'calls', header: 'Calls', cell: (row) => showCount(row.calls) },
          {
            id: 'teachers',
            header: 'Taught by',
            cell: (row) => row.teachers.map(({ id, calls }) => `${names.get(id) ?? id} (${calls})`).join(', '),
          },
          {
            id: 'confidence',
            header: 'Confidence',
            cell: (row) => (
              <StatusIndicator type={CONFIDENCE[row.confidence].type}>
                {CONFIDENCE[row.confidence].text}
              </StatusIndicator>
            ),
          },
          { id: 'fields', header: 'Fields', cell: (row) => row.fields.length },
          {
            id: 'odd',
            header: 'Odd',
            cell: (row) => {
              const odd = row.fields.filter((field) => isOdd(row, field)).length;
              return odd === 0 ? '' : <StatusIndicator type="warning">{odd}</StatusIndicator>;
            },
          },
        ]}
      />
      {open ? <OperationFields operation={open} names={names} onClose={() => setOpened(null)} /> : null}
    </>
  );
}

/** A type that hardly any value had, or a field that one of several integrations alone sent. */
function isOdd(operation: Operation, field: Field): boolean {
  return (
    field.odd.length > 0 || (operation.teachers.length > 1 && field.in === 'request' && field.teachers.length === 1)
  );
}

function OperationFields(props: {
  readonly operation: Operation;
  readonly names: ReadonlyMap<string, string>;
  readonly onClose: () => void;
}) {
  const { operation, names, onClose } = props;
  const named = (ids: readonly string[]): string => ids.map((id) => names.get(id) ?? id).join(', ');
  return (
    <Modal visible size="large" onDismiss={onClose} header={keyOf(operation)} closeAriaLabel="Close">
      <Table<Field>
        variant="embedded"
        wrapLines
        items={[...operation.fields]}
        ariaLabels={{ tableLabel: 'Fields' }}
        empty={<Box color="text-body-secondary">It has neither parameters nor bodies.</Box>}
        columnDefinitions={[
          { id: 'in', header: 'In', cell: (row) => row.in },
          {
            id: 'path',
            header: 'Field',
            isRowHeader: true,
            cell: (row) => (
              <SpaceBetween direction="horizontal" size="xxs">
                <Box variant="code">{row.path === '' ? '(the body)' : row.path}</Box>
                {row.required ? <Badge>required</Badge> : null}
              </SpaceBetween>
            ),
          },
          {
            id: 'type',
            header: 'Type',
            cell: (row) => row.types.join(' or ') + (row.format === null ? '' : ` (${row.format})`),
          },
          { id: 'seen', header: 'Seen', cell: (row) => showCount(row.seen) },
          { id: 'teachers', header: 'Taught by', cell: (row) => named(row.teachers) },
          { id: 'standing', header: 'Description', cell: (row) => <Standing of={row.standing} /> },
          {
            id: 'odd',
            header: 'Odd',
            cell: (row) =>
              isOdd(operation, row) ? (
                <StatusIndicator type="warning">
                  {row.odd.length > 0
                    ? row.odd.map(({ type, teachers }) => `${type} from ${named(teachers)}`).join(', ')
                    : `only ${named(row.teachers)}`}
                </StatusIndicator>
              ) : (
                ''
              ),
          },
        ]}
      />
    </Modal>
  );
}
