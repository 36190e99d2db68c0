import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showDay } from '../display/time.ts';
import { LANGUAGE_NAMES, PORTAL_LANGUAGES, type PortalLanguage } from '../portal/portal-texts.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { AnswerReview } from './AnswerReview.tsx';
import { QuestionnaireComparison } from './QuestionnaireComparison.tsx';
import { UploadButton, type UploadedFile } from './UploadButton.tsx';
import { type Questionnaire, questionnaireQuery } from './vendor-queries.ts';

const DAY_MS = 86_400_000;

export function QuestionnairePage() {
  const { id } = useParams({ from: '/inside/questionnaires/$id' });
  const questionnaire = useQuery(questionnaireQuery(id));
  return <QueryState query={questionnaire}>{(data) => <OneQuestionnaire questionnaire={data} />}</QueryState>;
}

function OneQuestionnaire({ questionnaire }: { readonly questionnaire: Questionnaire }) {
  const can = useCan();
  const [isSending, setSending] = useState(false);
  const { id, title, state, progress, form, visible } = questionnaire;
  const params = { path: { id } };
  const finish = useCommand({
    run: async () => taken(await api.POST('/api/v1/questionnaires/{id}/finish-review', { params })),
    done: 'The review is done.',
    changes: [['questionnaires'], ['vendors']],
  });
  const fill = useCommand({
    run: async (body: UploadedFile) => taken(await api.POST('/api/v1/questionnaires/{id}/workbook', { params, body })),
    done: ({ filled, unknown }) =>
      `${filled} answers taken from the workbook; ${unknown.length} ids are not asked here.`,
    changes: [['questionnaires']],
  });
  const shown = new Set(visible);
  return (
    <Page
      title={title}
      description={state}
      parents={[
        { text: 'Vendors', href: '/vendors' },
        { text: 'Vendor', href: `/vendors/${questionnaire.vendorId}` },
      ]}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button href={`/api/v1/questionnaires/${id}/export`}>Export</Button>
          {can('vendor.write') && state !== 'reviewed' ? (
            <UploadButton label="Fill from a workbook" accept=".xlsx" onFile={(file) => fill.mutate(file)} />
          ) : null}
          {can('vendor.write') && state === 'submitted' ? (
            <Button variant="primary" loading={finish.isPending} onClick={() => finish.mutate(undefined)}>
              Finish the review
            </Button>
          ) : null}
          {can('vendor.write') && (state === 'draft' || state === 'sent') ? (
            <Button variant="primary" onClick={() => setSending(true)}>
              Send
            </Button>
          ) : null}
        </SpaceBetween>
      }
    >
      <SpaceBetween size="l">
        <ProblemAlert error={finish.error ?? fill.error} />
        <ProgressBar
          ariaLabel="Answered"
          value={progress.asked === 0 ? 0 : Math.round((progress.answered / progress.asked) * 100)}
          label={`${progress.answered} of ${progress.asked} answered`}
        />
        <Links questionnaire={questionnaire} />
        <QuestionnaireComparison questionnaire={questionnaire} />
        {form.sections.map((section) => (
          <Container key={section.title} header={<Header variant="h2">{section.title}</Header>}>
            <SpaceBetween size="l">
              {section.questions
                .filter((question) => shown.has(question.id))
                .map((question) => (
                  <AnswerReview key={question.id} questionnaire={questionnaire} question={question} />
                ))}
            </SpaceBetween>
          </Container>
        ))}
      </SpaceBetween>
      {isSending ? <SendDialog id={id} onClose={() => setSending(false)} /> : null}
    </Page>
  );
}

function Links({ questionnaire: { id, links } }: { readonly questionnaire: Questionnaire }) {
  const can = useCan();
  const revoke = useCommand({
    run: async (linkId: string) =>
      taken(await api.POST('/api/v1/questionnaires/{id}/links/{linkId}/revoke', { params: { path: { id, linkId } } })),
    done: 'The link works no more.',
    changes: [['questionnaires']],
  });
  return (
    <Table
      variant="container"
      wrapLines
      items={links}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Links' }}
      header={<Header variant="h2">Who was asked</Header>}
      columnDefinitions={[
        { id: 'email', header: 'Address', isRowHeader: true, cell: (row) => row.email },
        { id: 'by', header: 'Asked by', cell: (row) => row.invitedBy },
        { id: 'opened', header: 'Opened', cell: (row) => (row.openedAt === null ? 'not yet' : showDay(row.openedAt)) },
        {
          id: 'state',
          header: 'Link',
          cell: (row) =>
            row.revokedAt !== null ? (
              <StatusIndicator type="stopped">Revoked</StatusIndicator>
            ) : row.expiresAt < Date.now() ? (
              <StatusIndicator type="stopped">Expired</StatusIndicator>
            ) : (
              <StatusIndicator type="success">{`Until ${showDay(row.expiresAt)}`}</StatusIndicator>
            ),
        },
        {
          id: 'revoke',
          header: 'Action',
          cell: (row) =>
            row.revokedAt === null && can('vendor.write') ? (
              <Button
                variant="inline-link"
                ariaLabel={`Revoke the link of ${row.email}`}
                onClick={() => revoke.mutate(row.id)}
              >
                Revoke
              </Button>
            ) : (
              '-'
            ),
        },
      ]}
      empty={<Box color="text-body-secondary">Nobody yet.</Box>}
    />
  );
}

function SendDialog({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const [email, setEmail] = useState('');
  const [language, setLanguage] = useState<PortalLanguage>('en');
  const [days, setDays] = useState('30');
  const send = useCommand({
    run: async () => {
      const validDays = Number(days);
      const body = { email, language, validDays, dueAt: Date.now() + Math.max(1, validDays - 7) * DAY_MS };
      return taken(await api.POST('/api/v1/questionnaires/{id}/links', { params: { path: { id } }, body }));
    },
    done: `A link is on its way to ${email}.`,
    changes: [['questionnaires'], ['vendors']],
    onDone: onClose,
  });
  const options = PORTAL_LANGUAGES.map((value) => ({ value, label: LANGUAGE_NAMES[value] }));
  return (
    <FormDialog
      title="Send the questionnaire"
      button="Send the link"
      isReady={email.includes('@')}
      command={{ isPending: send.isPending, error: send.error, mutate: () => send.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField
        label="E-mail address"
        description="Whoever has this mailbox answers; no account is needed."
        errorText={fieldProblem(send.error, 'email')}
      >
        <Input type="email" value={email} autoFocus onChange={({ detail }) => setEmail(detail.value)} />
      </FormField>
      <FormField label="Language">
        <Select
          options={options}
          selectedOption={options.find(({ value }) => value === language) ?? null}
          onChange={({ detail }) =>
            setLanguage(PORTAL_LANGUAGES.find((one) => one === detail.selectedOption.value) ?? 'en')
          }
        />
      </FormField>
      <FormField label="Days that the link works" errorText={fieldProblem(send.error, 'validDays')}>
        <Input type="number" value={days} onChange={({ detail }) => setDays(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
