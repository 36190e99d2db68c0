import Button from '@cloudscape-design/components/button';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { draftToForm, emptyQuestion, KINDS, type QuestionDraft } from './form-draft.ts';
import type { VendorDetail } from './vendor-queries.ts';

/** Builds a questionnaire question by question; one may hang on the answer to another above it. */
export function FormBuilder({
  vendor,
  onClose,
  onDone,
}: {
  readonly vendor: VendorDetail;
  readonly onClose: () => void;
  readonly onDone: (made: { readonly id: string }) => void;
}) {
  const [title, setTitle] = useState('');
  const [questions, setQuestions] = useState<readonly QuestionDraft[]>([emptyQuestion()]);
  const make = useCommand({
    run: async () => {
      const params = { path: { id: vendor.id } };
      const body = { form: draftToForm(title, questions) } as never; // fields with defaults are left out
      return taken(await api.POST('/api/v1/vendors/{id}/questionnaires', { params, body }));
    },
    changes: [['vendors']],
    onDone,
  });
  const set = (at: number, change: Partial<QuestionDraft>): void =>
    setQuestions(questions.map((one, index) => (index === at ? { ...one, ...change } : one)));
  return (
    <FormDialog
      title="Build a questionnaire"
      button="Make it"
      isReady={title.trim() !== '' && questions.every(({ text }) => text.trim() !== '')}
      command={{ isPending: make.isPending, error: make.error, mutate: () => make.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Title">
        <Input value={title} onChange={({ detail }) => setTitle(detail.value)} />
      </FormField>
      {questions.map((question, at) => (
        <QuestionFields
          key={question.key}
          question={question}
          at={at}
          above={questions.slice(0, at)}
          onChange={(change) => set(at, change)}
        />
      ))}
      <Button iconName="add-plus" onClick={() => setQuestions([...questions, emptyQuestion()])}>
        Add a question
      </Button>
    </FormDialog>
  );
}

function QuestionFields({
  question,
  at,
  above,
  onChange,
}: {
  readonly question: QuestionDraft;
  readonly at: number;
  readonly above: readonly QuestionDraft[];
  readonly onChange: (change: Partial<QuestionDraft>) => void;
}) {
  const kinds = KINDS.map(([value, label]) => ({ value, label }));
  const conditions = [
    { value: '', label: 'Always' },
    ...above.map((_, index) => ({ value: `Q${index + 1}`, label: `When Q${index + 1} is` })),
  ];
  return (
    <SpaceBetween size="s">
      <FormField label={`Question ${at + 1}`}>
        <Input value={question.text} onChange={({ detail }) => onChange({ text: detail.value })} />
      </FormField>
      <ColumnLayout columns={2}>
        <FormField label={`Kind of question ${at + 1}`}>
          <Select
            options={kinds}
            selectedOption={kinds.find(({ value }) => value === question.kind) ?? null}
            onChange={({ detail }) =>
              onChange({ kind: KINDS.find(([value]) => value === detail.selectedOption.value)?.[0] ?? 'text' })
            }
          />
        </FormField>
        {question.kind.startsWith('choice') ? (
          <FormField label="Options" description="Separated by commas.">
            <Input value={question.options} onChange={({ detail }) => onChange({ options: detail.value })} />
          </FormField>
        ) : null}
        {above.length > 0 ? (
          <FormField label={`Ask question ${at + 1}`}>
            <Select
              options={conditions}
              selectedOption={conditions.find(({ value }) => value === question.showIf) ?? null}
              onChange={({ detail }) => onChange({ showIf: detail.selectedOption.value ?? '' })}
            />
          </FormField>
        ) : null}
        {question.showIf === '' ? null : (
          <FormField label="This answer">
            <Input
              value={question.showIs}
              placeholder="Yes"
              onChange={({ detail }) => onChange({ showIs: detail.value })}
            />
          </FormField>
        )}
      </ColumnLayout>
    </SpaceBetween>
  );
}
