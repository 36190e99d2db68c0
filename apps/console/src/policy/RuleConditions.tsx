import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { InspectionRule } from '../api/wire.ts';

const LABELS = ['public', 'internal', 'confidential', 'restricted'] as const;
const SHARINGS = ['private', 'internal', 'external', 'public'] as const;

/** What else a rule asks for; as a form has it. */
interface Conditions {
  readonly label: string;
  readonly category: string;
  readonly countMin: string;
  readonly connector: string;
  readonly destination: string;
  readonly personId: string;
  readonly passMinutes: string;
}

export function conditionsOf(entry: Partial<InspectionRule['entry']> | undefined): Conditions {
  return {
    label: entry?.label ?? '',
    category: entry?.category ?? '',
    countMin: String(entry?.countMin ?? 1),
    connector: entry?.connector ?? '',
    destination: entry?.destination ?? '',
    personId: entry?.personId ?? '',
    passMinutes: String(entry?.passMinutes ?? 60),
  };
}

const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());

export function conditionsBody(conditions: Conditions) {
  return {
    label: LABELS.find((one) => one === conditions.label) ?? null,
    category: orNull(conditions.category),
    countMin: Number(conditions.countMin),
    connector: orNull(conditions.connector),
    destination: SHARINGS.find((one) => one === conditions.destination) ?? null,
    personId: orNull(conditions.personId),
    passMinutes: Number(conditions.passMinutes),
  };
}

const optionsFor = (first: string, values: readonly string[]) => [
  { value: '', label: first },
  ...values.map((value) => ({ value, label: `${value} or more` })),
];
const LABEL_OPTIONS = optionsFor('Any label', LABELS);
const SHARING_OPTIONS = optionsFor('However it is shared', SHARINGS);

export function RuleConditions(props: {
  readonly isAtRest: boolean;
  readonly value: Conditions;
  readonly onChange: (value: Conditions) => void;
}) {
  const { isAtRest, value, onChange } = props;
  const field = (key: keyof Conditions, title: string, description: string) => (
    <FormField label={title} description={description}>
      <Input value={value[key]} onChange={({ detail }) => onChange({ ...value, [key]: detail.value })} />
    </FormField>
  );
  const choice = (key: 'label' | 'destination', title: string, options: typeof LABEL_OPTIONS) => (
    <FormField label={title}>
      <Select
        options={options}
        selectedOption={options.find((one) => one.value === value[key]) ?? null}
        onChange={({ detail }) => onChange({ ...value, [key]: detail.selectedOption.value ?? '' })}
      />
    </FormField>
  );
  return (
    <ExpandableSection headerText="Further conditions" defaultExpanded={isAtRest}>
      <SpaceBetween size="m">
        {isAtRest ? field('connector', 'Connector', 'Such as slack; empty: any.') : null}
        {isAtRest ? choice('destination', 'Shared', SHARING_OPTIONS) : null}
        {choice('label', 'Label', LABEL_OPTIONS)}
        {field('category', 'Category', 'A fideslang key such as user.financial, and what is below it; empty: any.')}
        {field('countMin', 'From how many on', 'Of the class in one body or record.')}
        {field('personId', 'Owner', 'Of the integration, or of the record as the tool names them; empty: any.')}
        {isAtRest ? null : field('passMinutes', 'Minutes that a reason or release holds', 'At most a day.')}
      </SpaceBetween>
    </ExpandableSection>
  );
}
