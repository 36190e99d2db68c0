import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { auditQuery } from '../api/estate-queries.ts';
import { asProblem } from '../api/problem.ts';
import type { AuditRecord } from '../api/wire.ts';
import { showTime } from '../display/time.ts';

/** Details of a change in one line; the whole of them stand in the audit trail's own page. */
export function auditDetail({ detail }: Pick<AuditRecord, 'detail'>): string {
  return Object.entries(detail)
    .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('; ');
}

/** What was done to one object, newest first, from the audit trail. */
export function AuditList({
  title,
  target,
}: {
  readonly title: string;
  readonly target: { readonly type: string; readonly id: string };
}) {
  const audit = useQuery(auditQuery({ targetType: target.type, targetId: target.id, limit: 100 }));
  return (
    <Table<AuditRecord>
      variant="container"
      contentDensity="compact"
      wrapLines
      loading={audit.isPending}
      loadingText="Loading"
      items={audit.data ?? []}
      trackBy="hash"
      header={<Header variant="h2">{title}</Header>}
      columnDefinitions={[
        { id: 'at', header: 'When', cell: (row) => showTime(row.at) },
        { id: 'actor', header: 'Who', cell: (row) => row.actor.name },
        { id: 'action', header: 'Did', isRowHeader: true, cell: (row) => row.action },
        { id: 'detail', header: 'Details', cell: auditDetail },
      ]}
      empty={
        <Box color="text-body-secondary">
          {audit.error ? asProblem(audit.error).message : 'Nothing is recorded about it.'}
        </Box>
      }
    />
  );
}
