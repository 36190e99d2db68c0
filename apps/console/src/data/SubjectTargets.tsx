import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { type SubjectRequest, type SubjectTarget, subjectTargetsQuery } from './data-queries.ts';
import { ReasonForm } from './SubjectActions.tsx';
import { TARGET_LOOKS, wayText } from './subject-text.ts';

const nameOf = ({ app, object, recordId }: SubjectTarget): string => `${app}: ${object} ${recordId}`;

/** What was found, what becomes of it and what was seen afterwards; one row for each record. */
export function SubjectTargets({ request }: { readonly request: SubjectRequest }) {
  const targets = useQuery(subjectTargetsQuery(request.id));
  const mayWrite = useCan()('subject.write');
  const [chosen, setChosen] = useState<SubjectTarget | null>(null);
  const items = targets.data ?? [];
  const askOf = ({ status }: SubjectTarget): string | null => {
    if (!mayWrite) return null;
    if (request.status === 'found' && (status === 'planned' || status === 'task')) return 'Spare';
    return request.status === 'tasks' && (status === 'task' || status === 'failed') ? 'Say it is done' : null;
  };
  return (
    <>
      <ProblemAlert error={targets.error} />
      <Table<SubjectTarget>
        variant="container"
        wrapLines
        loading={targets.isPending}
        loadingText="Loading records"
        items={items}
        trackBy="seq"
        ariaLabels={{ tableLabel: 'Records' }}
        header={
          <Header counter={`(${items.length})`} description="By the tools' own ids. Their contents are not kept here.">
            Records
          </Header>
        }
        columnDefinitions={[
          {
            id: 'record',
            header: 'Record',
            isRowHeader: true,
            minWidth: 200,
            cell: (row) =>
              row.url === null ? (
                nameOf(row)
              ) : (
                <Link href={row.url} external externalIconAriaLabel="Opens the tool">
                  {nameOf(row)}
                </Link>
              ),
          },
          { id: 'fields', header: 'Named in', cell: (row) => row.fields.join(', ') || row.kinds.join(', ') },
          { id: 'way', header: 'How', minWidth: 150, cell: wayText },
          {
            id: 'status',
            header: 'State',
            minWidth: 180,
            cell: (row) => (
              <StatusIndicator type={TARGET_LOOKS[row.status][0]}>{TARGET_LOOKS[row.status][1]}</StatusIndicator>
            ),
          },
          { id: 'because', header: 'Because', minWidth: 180, cell: (row) => row.error ?? row.reason ?? '—' },
          {
            id: 'act',
            header: 'Act',
            minWidth: 110,
            cell: (row) => {
              const ask = askOf(row);
              return ask === null ? null : (
                <Button variant="inline-link" ariaLabel={`${ask}: ${nameOf(row)}`} onClick={() => setChosen(row)}>
                  {ask}
                </Button>
              );
            },
          },
        ]}
        empty={
          <Box color="text-body-secondary">
            {request.searchedAt === null ? 'Nothing was searched yet.' : 'Nothing that could be read names the person.'}
          </Box>
        }
      />
      {chosen ? <TargetForm request={request} target={chosen} onClose={() => setChosen(null)} /> : null}
    </>
  );
}

function TargetForm({
  request,
  target,
  onClose,
}: {
  readonly request: SubjectRequest;
  readonly target: SubjectTarget;
  readonly onClose: () => void;
}) {
  const params = { path: { id: request.id, seq: target.seq } };
  if (request.status === 'found') {
    const spare = async (reason: string) =>
      taken(await api.POST('/api/v1/subject-requests/{id}/targets/{seq}/spare', { params, body: { reason } }));
    return (
      <ReasonForm title={`Spare ${nameOf(target)}`} label="Why it stays" button="Spare" run={spare} onClose={onClose} />
    );
  }
  const done = async (how: string) =>
    taken(await api.POST('/api/v1/subject-requests/{id}/targets/{seq}/done', { params, body: { how } }));
  return <ReasonForm title={nameOf(target)} label="What you did" button="It is done" run={done} onClose={onClose} />;
}
