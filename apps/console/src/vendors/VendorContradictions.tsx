import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import type { Contradiction } from './insight-queries.ts';

function stateOf({ goneAt, decision }: Contradiction): string {
  if (decision !== null) return `Dismissed by ${decision.by}: ${decision.reason}`;
  return goneAt === null ? 'Open' : `No longer seen since ${showDay(goneAt)}`;
}

/** What the vendor said, and what was seen instead. */
export function VendorContradictions({
  vendorId,
  items,
}: {
  readonly vendorId: string;
  readonly items: readonly Contradiction[];
}) {
  const can = useCan();
  const [open, setOpen] = useState<Contradiction | null>(null);
  const [reason, setReason] = useState('');
  const decide = useCommand({
    run: async ({ id, why }: { readonly id: string; readonly why: string | null }) =>
      taken(
        await api.PUT('/api/v1/vendors/{id}/contradictions/{contradictionId}/decision', {
          params: { path: { id: vendorId, contradictionId: id } },
          body: { reason: why },
        }),
      ),
    changes: [['vendors']],
    onDone: () => setOpen(null),
  });
  return (
    <SpaceBetween size="s">
      <ProblemAlert error={open ? null : decide.error} />
      <Table<Contradiction>
        variant="container"
        wrapLines
        items={items}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Contradictions' }}
        header={
          <Header variant="h2" counter={`(${items.length})`} description="Said by the vendor, and seen otherwise.">
            Contradictions
          </Header>
        }
        columnDefinitions={[
          {
            id: 'severity',
            header: 'Severity',
            cell: (row) => (
              <Badge color={row.severity === 'low' || row.severity === 'medium' ? 'grey' : 'red'}>{row.severity}</Badge>
            ),
          },
          { id: 'title', header: 'What', isRowHeader: true, minWidth: 220, cell: (row) => row.title },
          {
            id: 'said',
            header: 'Said',
            cell: ({ said }) => {
              const text = `${said.questionId === null ? 'Register' : said.questionId}: ${said.answers.join(', ')}`;
              return said.link === null ? text : <RouteLink href={said.link}>{text}</RouteLink>;
            },
          },
          { id: 'seen', header: 'Seen', minWidth: 240, cell: (row) => row.evidence.map(({ text }) => text).join(' ') },
          { id: 'state', header: 'State', minWidth: 130, cell: stateOf },
          {
            id: 'act',
            header: 'Action',
            minWidth: 120,
            cell: (row) =>
              !can('vendor.write') || (row.goneAt !== null && row.decision === null) ? (
                '-'
              ) : (
                <Button
                  variant="inline-link"
                  ariaLabel={`${row.decision === null ? 'Dismiss' : 'Take back'}: ${row.title}`}
                  onClick={() => (row.decision === null ? setOpen(row) : decide.mutate({ id: row.id, why: null }))}
                >
                  {row.decision === null ? 'Dismiss' : 'Take back'}
                </Button>
              ),
          },
        ]}
        empty={<Box color="text-body-secondary">Nothing that was seen contradicts an answer.</Box>}
      />
      {open ? (
        <FormDialog
          title={`Dismiss: ${open.title}`}
          button="Dismiss"
          isReady={reason.trim().length >= 3}
          command={{
            isPending: decide.isPending,
            error: decide.error,
            mutate: () => decide.mutate({ id: open.id, why: reason }),
          }}
          onClose={() => setOpen(null)}
        >
          <FormField label="Why it is no contradiction">
            <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
          </FormField>
        </FormDialog>
      ) : null}
    </SpaceBetween>
  );
}
