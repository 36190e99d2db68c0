import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FileInput from '@cloudscape-design/components/file-input';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Textarea from '@cloudscape-design/components/textarea';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { AnswerField } from './AnswerField.tsx';
import type { Portal, PortalForm, PortalQuestion, PortalValue } from './portal-api.ts';
import type { PortalLanguage, PortalTexts } from './portal-texts.ts';

const EMPTY: PortalValue = { answer: null, note: '', ownership: '', responsibilities: '', files: [] };

interface CardProps {
  readonly portal: Portal;
  readonly form: PortalForm;
  readonly question: PortalQuestion;
  readonly language: PortalLanguage;
  readonly texts: PortalTexts;
  readonly isOpen: boolean;
  readonly onChanged: () => Promise<void>;
}

/** One question: its answer, what explains it, what was said about it. Kept when a field is left. */
export function PortalQuestionCard({ portal, form, question, language, texts, isOpen, onChanged }: CardProps) {
  const stored = form.answers.find(({ questionId }) => questionId === question.id)?.value ?? EMPTY;
  const [draft, setDraft] = useState<PortalValue>(stored);
  const save = useMutation({
    mutationFn: async (value: PortalValue) => portal.answer(question.id, value),
    onSuccess: onChanged,
  });
  const attach = useMutation({
    mutationFn: async (file: File) => portal.attach(file),
    onSuccess: async ({ id }) => keep({ ...draft, files: [...draft.files, id] }),
  });
  const keep = (value: PortalValue): void => {
    setDraft(value);
    save.mutate(value);
  };
  const leave = (): void => {
    if (JSON.stringify(draft) !== JSON.stringify(stored)) save.mutate(draft);
  };
  const shown = question.translations[language] ?? question;
  const proposal = form.proposals.find(({ questionId }) => questionId === question.id);
  const files = form.files.filter(({ id }) => draft.files.includes(id));
  return (
    <section aria-label={`${question.id} ${shown.text}`}>
      <SpaceBetween size="s">
        <Box variant="h3">
          {question.id} {shown.text}
        </Box>
        {shown.help === undefined ? null : (
          <Box color="text-body-secondary">
            <span style={{ whiteSpace: 'pre-line' }}>{shown.help}</span>
          </Box>
        )}
        <ProblemAlert error={save.error ?? attach.error} />
        {proposal && isOpen ? (
          <Box>
            {texts.lastTime}: {String(proposal.value.answer)} {proposal.value.note}{' '}
            <Button variant="inline-link" onClick={() => keep({ ...proposal.value, files: [] })}>
              {texts.take}
            </Button>
          </Box>
        ) : null}
        <div onBlur={leave}>
          <SpaceBetween size="s">
            <AnswerField
              question={question}
              label={shown.text}
              value={draft}
              texts={texts}
              isOpen={isOpen}
              onDraft={setDraft}
              onKeep={keep}
            />
            {question.asksOwnership ? (
              <FormField label={texts.ownership}>
                <Input
                  value={draft.ownership}
                  disabled={!isOpen}
                  onChange={({ detail }) => setDraft({ ...draft, ownership: detail.value })}
                />
              </FormField>
            ) : null}
            {question.wantsNote ? (
              <FormField label={texts.note}>
                <Textarea
                  value={draft.note}
                  rows={2}
                  disabled={!isOpen}
                  onChange={({ detail }) => setDraft({ ...draft, note: detail.value })}
                />
              </FormField>
            ) : null}
            {question.asksOwnership ? (
              <FormField label={texts.responsibilities}>
                <Textarea
                  value={draft.responsibilities}
                  rows={2}
                  disabled={!isOpen}
                  onChange={({ detail }) => setDraft({ ...draft, responsibilities: detail.value })}
                />
              </FormField>
            ) : null}
          </SpaceBetween>
        </div>
        {files.length > 0 ? (
          <Box>
            {texts.files}: {files.map(({ name }) => name).join(', ')}
          </Box>
        ) : null}
        {isOpen ? (
          <FileInput
            value={[]}
            ariaLabel={`${texts.attach}: ${question.id}`}
            onChange={({ detail }) => {
              const [file] = detail.value;
              if (file) attach.mutate(file);
            }}
          >
            {texts.attach}
          </FileInput>
        ) : null}
        <SavedState isSaving={save.isPending || attach.isPending} isSaved={save.isSuccess} texts={texts} />
        <Remarks portal={portal} form={form} questionId={question.id} texts={texts} onChanged={onChanged} />
      </SpaceBetween>
    </section>
  );
}

function SavedState({
  isSaving,
  isSaved,
  texts,
}: {
  readonly isSaving: boolean;
  readonly isSaved: boolean;
  readonly texts: PortalTexts;
}) {
  if (isSaving) return <StatusIndicator type="in-progress">{texts.saving}</StatusIndicator>;
  return isSaved ? <StatusIndicator type="success">{texts.saved}</StatusIndicator> : null;
}

function Remarks({
  portal,
  form,
  questionId,
  texts,
  onChanged,
}: Pick<CardProps, 'portal' | 'form' | 'texts' | 'onChanged'> & { readonly questionId: string }) {
  const [text, setText] = useState<string | null>(null);
  const say = useMutation({
    mutationFn: async (said: string) => portal.comment(questionId, said),
    onSuccess: async () => {
      setText(null);
      await onChanged();
    },
  });
  const said = form.comments.filter((one) => one.questionId === questionId);
  return (
    <SpaceBetween size="xs">
      <ProblemAlert error={say.error} />
      {said.map(({ id, author, text: words }) => (
        <Box key={id}>
          <b>{author}</b>: {words}
        </Box>
      ))}
      {text === null ? (
        <Button variant="inline-link" ariaLabel={`${texts.addComment}: ${questionId}`} onClick={() => setText('')}>
          {texts.addComment}
        </Button>
      ) : (
        <SpaceBetween size="xs">
          <FormField label={texts.comments}>
            <Textarea value={text} rows={2} onChange={({ detail }) => setText(detail.value)} />
          </FormField>
          <Button loading={say.isPending} disabled={text.trim() === ''} onClick={() => say.mutate(text)}>
            {texts.say}
          </Button>
        </SpaceBetween>
      )}
    </SpaceBetween>
  );
}
