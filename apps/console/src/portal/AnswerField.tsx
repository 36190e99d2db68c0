import DatePicker from '@cloudscape-design/components/date-picker';
import FormField from '@cloudscape-design/components/form-field';
import Multiselect from '@cloudscape-design/components/multiselect';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Textarea from '@cloudscape-design/components/textarea';
import type { PortalQuestion, PortalValue } from './portal-api.ts';
import type { PortalTexts } from './portal-texts.ts';

/** The field that fits a question's kind. A choice is kept at once, text when its field is left. */
export function AnswerField({
  question,
  label,
  value,
  texts,
  isOpen,
  onDraft,
  onKeep,
}: {
  readonly question: PortalQuestion;
  readonly label: string;
  readonly value: PortalValue;
  readonly texts: PortalTexts;
  readonly isOpen: boolean;
  readonly onDraft: (value: PortalValue) => void;
  readonly onKeep: (value: PortalValue) => void;
}) {
  const { answer } = value;
  const text = typeof answer === 'string' ? answer : '';
  if (question.kind === 'yes-no-na' || question.kind === 'choice') {
    const items =
      question.kind === 'choice'
        ? question.options.map((option) => ({ value: option, label: option }))
        : [
            { value: 'Yes', label: texts.yes },
            { value: 'No', label: texts.no },
            { value: 'NA', label: texts.na },
          ];
    return (
      <RadioGroup
        ariaLabel={label}
        readOnly={!isOpen}
        value={text === '' ? null : text}
        items={items}
        onChange={({ detail }) => onKeep({ ...value, answer: detail.value })}
      />
    );
  }
  if (question.kind === 'choices') {
    const options = question.options.map((option) => ({ value: option, label: option }));
    const chosen = Array.isArray(answer) ? answer : [];
    return (
      <Multiselect
        ariaLabel={label}
        readOnly={!isOpen}
        options={options}
        selectedOptions={options.filter((option) => chosen.includes(option.value))}
        onChange={({ detail }) =>
          onKeep({ ...value, answer: detail.selectedOptions.map((option) => option.value ?? '') })
        }
      />
    );
  }
  if (question.kind === 'date') {
    return (
      <DatePicker
        ariaLabel={label}
        readOnly={!isOpen}
        value={text}
        placeholder="YYYY/MM/DD"
        onChange={({ detail }) => onKeep({ ...value, answer: detail.value })}
      />
    );
  }
  return (
    <FormField label={texts.note}>
      <Textarea
        ariaLabel={label}
        readOnly={!isOpen}
        value={text}
        rows={3}
        onChange={({ detail }) => onDraft({ ...value, answer: detail.value === '' ? null : detail.value })}
      />
    </FormField>
  );
}
