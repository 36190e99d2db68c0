import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { CaseDetail } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { CaseDuties } from './CaseDuties.tsx';
import { CaseEdit } from './CaseEdit.tsx';
import { CaseClose, CaseReview } from './CaseForms.tsx';
import { CaseMessages } from './CaseMessages.tsx';
import { CaseEvidence, CaseRuns, CaseTasks, CaseTimeline } from './CaseParts.tsx';
import { CaseStatus, SeverityBadge, TlpBadge } from './IncidentBadges.tsx';
import { caseQuery } from './incident-queries.ts';
import { RunStart } from './RunStart.tsx';
import { spanText } from './span-text.ts';

export function CasePage() {
  const { id } = useParams({ from: '/inside/cases/$id' });
  return <QueryState query={useQuery(caseQuery(id))}>{(of) => <Details of={of} />}</QueryState>;
}

type Dialog = 'edit' | 'review' | 'close' | 'run' | null;

function Details({ of }: { readonly of: CaseDetail }) {
  const can = useCan();
  const [dialog, setDialog] = useState<Dialog>(null);
  const mark = useCommand<'acknowledged' | 'contained' | 'recovered' | 'notified', unknown>({
    run: async (what) => {
      const params = { path: { id: of.id } };
      return taken(await api.POST('/api/v1/cases/{id}/marks', { params, body: { mark: what } }));
    },
    changes: [['cases']],
  });
  const isMine = can('case.write') && of.status !== 'closed';
  const close = (): void => setDialog(null);
  return (
    <Page
      title={`Case ${of.number}: ${of.title}`}
      parents={[{ text: 'Cases', href: '/cases' }]}
      actions={
        isMine ? (
          <SpaceBetween direction="horizontal" size="xs">
            {of.acknowledgedAt === null ? (
              <Button onClick={() => mark.mutate('acknowledged')}>Acknowledge</Button>
            ) : null}
            {of.containedAt === null ? <Button onClick={() => mark.mutate('contained')}>Mark contained</Button> : null}
            {of.containedAt !== null && of.recoveredAt === null ? (
              <Button onClick={() => mark.mutate('recovered')}>Mark recovered</Button>
            ) : null}
            <Button onClick={() => setDialog('edit')}>Edit</Button>
            <Button onClick={() => setDialog('run')}>Run a playbook</Button>
            <Button onClick={() => setDialog('review')}>Review</Button>
            <Button variant="primary" onClick={() => setDialog('close')}>
              Close case
            </Button>
          </SpaceBetween>
        ) : null
      }
    >
      <SpaceBetween size="l">
        <ProblemAlert error={mark.error} />
        <Facts of={of} />
        <CaseRuns of={of} />
        <CaseDuties caseId={of.id} isWritable={isMine} />
        <CaseTimeline of={of} isWritable={isMine} />
        <CaseMessages of={of} isWritable={isMine} />
        <CaseTasks of={of} isWritable={can('case.write')} />
        <CaseEvidence of={of} isWritable={isMine} />
        {of.review ? <Review review={of.review} /> : null}
      </SpaceBetween>
      {dialog === 'edit' ? <CaseEdit of={of} onClose={close} /> : null}
      {dialog === 'review' ? <CaseReview id={of.id} onClose={close} /> : null}
      {dialog === 'close' ? <CaseClose id={of.id} onClose={close} /> : null}
      {dialog === 'run' ? <RunStart caseId={of.id} onClose={close} /> : null}
    </Page>
  );
}

const LINK_PAGES: Readonly<Record<string, string>> = { alert: '/alerts', integration: '/integrations', app: '/apps' };

function Facts({ of }: { readonly of: CaseDetail }) {
  const { metrics } = of;
  return (
    <Container>
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'Severity', value: <SeverityBadge severity={of.severity} /> },
          { label: 'Status', value: <CaseStatus status={of.status} /> },
          { label: 'Sharing', value: <TlpBadge tlp={of.tlp} /> },
          { label: 'Began', value: <Ago at={of.occurredAt} /> },
          { label: 'To detect', value: spanText(metrics.detectMs) },
          { label: 'To acknowledge', value: spanText(metrics.acknowledgeMs) },
          { label: 'To contain', value: spanText(metrics.containMs) },
          { label: 'To notify', value: spanText(metrics.notifyMs) },
          { label: 'To recover', value: spanText(metrics.recoverMs) },
          {
            label: 'About',
            value: (
              <SpaceBetween direction="horizontal" size="xs">
                {of.links.length === 0 ? '-' : null}
                {of.links.map(({ kind, ref, name }) => {
                  const page = LINK_PAGES[kind];
                  const text = `${kind}: ${name}`;
                  return page === undefined ? (
                    <span key={kind + ref}>{text}</span>
                  ) : (
                    <RouteLink key={kind + ref} href={`${page}/${ref}`}>
                      {text}
                    </RouteLink>
                  );
                })}
              </SpaceBetween>
            ),
          },
          {
            label: 'Roles',
            value:
              Object.entries(of.roles)
                .map(([role, name]) => `${role}: ${name}`)
                .join(', ') || '-',
          },
          { label: 'Status page', value: of.statusPage || '-' },
          {
            label: 'Export',
            value: (
              <SpaceBetween direction="horizontal" size="xs">
                <a href={`/api/v1/cases/${of.id}/export?format=stix`} download={`case-${of.number}.stix.json`}>
                  STIX 2.1
                </a>
                <a href={`/api/v1/cases/${of.id}/export?format=ocsf`} download={`case-${of.number}.ocsf.json`}>
                  OCSF
                </a>
              </SpaceBetween>
            ),
          },
        ]}
      />
    </Container>
  );
}

function Review({ review }: { readonly review: NonNullable<CaseDetail['review']> }) {
  return (
    <Container
      header={
        <Header variant="h2" description={`By ${review.by}`}>
          Review
        </Header>
      }
    >
      <KeyValuePairs
        columns={2}
        items={[
          { label: 'What happened', value: review.whatHappened },
          { label: 'Root cause', value: review.rootCause },
          { label: 'What went well', value: review.wentWell || '-' },
          { label: 'What went badly', value: review.wentBadly || '-' },
        ]}
      />
    </Container>
  );
}
