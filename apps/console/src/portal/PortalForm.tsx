import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { asProblem } from '../api/problem.ts';
import { showDay } from '../display/time.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { DelegateDialog } from './DelegateDialog.tsx';
import { PortalQuestionCard } from './PortalQuestionCard.tsx';
import './portal.css';
import { type Portal, type PortalForm as Form, portalOf } from './portal-api.ts';
import type { PortalLanguage, PortalTexts } from './portal-texts.ts';

/** The questions of a link, section by section; each answer is kept as it is given. */
export function PortalForm({
  session,
  language,
  texts,
  picker,
  onEnded,
}: {
  readonly session: string;
  readonly language: PortalLanguage;
  readonly texts: PortalTexts;
  readonly picker: ReactNode;
  readonly onEnded: () => void;
}) {
  const [portal] = useState(() => portalOf(session));
  const form = useQuery({ queryKey: ['portal', 'form', session], queryFn: portal.read, retry: false });
  const isOver = form.error !== null && asProblem(form.error).status === 401;
  useEffect(() => {
    if (isOver) onEnded();
  }, [isOver, onEnded]);
  return (
    <main className="portal">
      {form.data ? (
        <OpenForm
          portal={portal}
          session={session}
          form={form.data}
          language={language}
          texts={texts}
          picker={picker}
        />
      ) : form.error ? (
        <ProblemAlert error={form.error} />
      ) : (
        <StatusIndicator type="loading" />
      )}
    </main>
  );
}

interface OpenFormProps {
  readonly portal: Portal;
  readonly session: string;
  readonly form: Form;
  readonly language: PortalLanguage;
  readonly texts: PortalTexts;
  readonly picker: ReactNode;
}

function OpenForm({ portal, session, form, language, texts, picker }: OpenFormProps) {
  const client = useQueryClient();
  const [delegating, setDelegating] = useState<readonly string[] | null>(null);
  const reload = async (): Promise<void> => client.invalidateQueries({ queryKey: ['portal', 'form', session] });
  const submit = useMutation({ mutationFn: portal.submit, onSuccess: reload });
  const isOpen = form.state === 'draft' || form.state === 'sent';
  const { asked, answered } = form.progress;
  const visible = new Set(form.visible);
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={form.email}>
        {form.title}
      </Header>
      {isOpen ? null : <Alert type="success">{texts.submitted}</Alert>}
      <Container>
        <SpaceBetween size="m">
          <ProgressBar
            ariaLabel={texts.answered}
            value={asked === 0 ? 0 : Math.round((answered / asked) * 100)}
            label={`${answered} / ${asked} ${texts.answered}`}
            {...(form.dueAt === null ? {} : { additionalInfo: `${texts.due}: ${showDay(form.dueAt)}` })}
          />
          {picker}
        </SpaceBetween>
      </Container>
      {form.sections.map((section) => {
        const shown = section.questions.filter(({ id }) => visible.has(id));
        if (shown.length === 0) return null;
        return (
          <Container
            key={section.title}
            header={
              <Header
                variant="h2"
                actions={
                  isOpen ? (
                    <Button
                      ariaLabel={`${texts.delegate}: ${section.title}`}
                      onClick={() => setDelegating(section.questions.map(({ id }) => id))}
                    >
                      {texts.delegate}
                    </Button>
                  ) : null
                }
              >
                {section.title}
              </Header>
            }
          >
            <SpaceBetween size="xl">
              {shown.map((question) => (
                <PortalQuestionCard
                  key={question.id}
                  portal={portal}
                  form={form}
                  question={question}
                  language={language}
                  texts={texts}
                  isOpen={isOpen}
                  onChanged={reload}
                />
              ))}
            </SpaceBetween>
          </Container>
        );
      })}
      {isOpen && !form.isDelegate ? (
        <SpaceBetween size="s">
          <ProblemAlert error={submit.error} />
          <Box>{texts.submitText}</Box>
          <Button
            variant="primary"
            loading={submit.isPending}
            disabled={form.progress.open.length > 0}
            onClick={() => submit.mutate()}
          >
            {texts.submit}
          </Button>
        </SpaceBetween>
      ) : null}
      {delegating ? (
        <DelegateDialog portal={portal} questions={delegating} texts={texts} onClose={() => setDelegating(null)} />
      ) : null}
    </SpaceBetween>
  );
}
