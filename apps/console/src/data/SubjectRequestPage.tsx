import Alert from '@cloudscape-design/components/alert';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { showDay, showTime } from '../display/time.ts';
import { Page } from '../shell/Page.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { type SubjectRequest, subjectRequestQuery } from './data-queries.ts';
import { SubjectActions } from './SubjectActions.tsx';
import { SubjectDue, SubjectStatus } from './SubjectPanel.tsx';
import { SubjectTargets } from './SubjectTargets.tsx';
import { countsText, KIND_TEXT } from './subject-text.ts';

/** One request: who, until when, what was found, what became of it, and the proof. */
export function SubjectRequestPage() {
  const { id } = useParams({ from: '/inside/subject-requests/$id' });
  const request = useQuery(subjectRequestQuery(id));
  return (
    <Page
      title={request.data ? `Subject request ${request.data.reference}` : 'Subject request'}
      description={request.data ? KIND_TEXT[request.data.kind] : undefined}
      parents={[{ text: 'Data', href: '/data' }]}
      actions={request.data ? <SubjectActions request={request.data} /> : null}
    >
      <QueryState query={request}>
        {(data) => (
          <SpaceBetween size="l">
            <Notes request={data} />
            <Facts request={data} />
            <SubjectTargets request={data} />
          </SpaceBetween>
        )}
      </QueryState>
    </Page>
  );
}

function Notes({ request }: { readonly request: SubjectRequest }) {
  const { status, identity, gaps, error } = request;
  return (
    <SpaceBetween size="xs">
      {error !== null ? <Alert type={status === 'refused' ? 'info' : 'error'}>{error}</Alert> : null}
      {identity === null && request.endedAt === null ? (
        <Alert type="warning">Nothing runs before somebody has said how the identity of the person was checked.</Alert>
      ) : null}
      {status === 'waiting' ? (
        <Alert type="info">Another person approves it: more than {request.approvalAbove} records would change.</Alert>
      ) : null}
      {gaps.length > 0 ? (
        <Alert type="warning" header="Not everything could be read">
          {gaps.map(({ app, what, because }) => (
            <div key={`${app} ${what}`}>{`${app} ${what}: ${because}`}</div>
          ))}
        </Alert>
      ) : null}
    </SpaceBetween>
  );
}

function Facts({ request }: { readonly request: SubjectRequest }) {
  const { identity, extension, evidenceSha256 } = request;
  return (
    <Container header={<Header variant="h2">About</Header>}>
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'State', value: <SubjectStatus status={request.status} /> },
          { label: 'Person', value: request.masked.map(({ kind, text }) => `${text} (${kind})`).join(', ') },
          { label: 'Received', value: showDay(request.receivedAt) },
          { label: 'Due', value: <SubjectDue request={request} /> },
          { label: 'Extended', value: extension ? `${extension.by}: ${extension.reason}` : 'no' },
          { label: 'Identity', value: identity ? `${identity.how} (${identity.by})` : 'not checked' },
          { label: 'Opened by', value: request.openedBy },
          { label: 'Approved by', value: request.approvedBy ?? '—' },
          { label: 'Searched', value: request.searchedAt === null ? 'not yet' : showTime(request.searchedAt) },
          { label: 'Records', value: countsText(request.counts) },
          {
            label: 'What names the person',
            value: request.isSealed ? 'sealed until the request ends' : 'forgotten',
          },
          { label: 'Evidence (SHA-256)', value: evidenceSha256 ?? '—' },
        ]}
      />
    </Container>
  );
}
