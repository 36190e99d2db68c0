import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { PostureFilter } from '../connectors/connector-queries.ts';

interface Choice<Value extends string> {
  readonly value: Value;
  readonly label: string;
}

const ANY = { value: '', label: 'All' } as const;
const RESULTS: readonly Choice<NonNullable<PostureFilter['result']>>[] = [
  { value: 'fail', label: 'Failing' },
  { value: 'pass', label: 'Passing' },
  { value: 'not_visible', label: 'Not visible' },
  { value: 'not_applicable', label: 'Not applicable' },
  { value: 'error', label: 'In error' },
];
const SEVERITIES: readonly Choice<NonNullable<PostureFilter['severity']>>[] = [
  { value: 'critical', label: 'Critical' },
  { value: 'high', label: 'High' },
  { value: 'medium', label: 'Medium' },
  { value: 'low', label: 'Low' },
  { value: 'info', label: 'Info' },
];
const FRAMEWORKS: readonly Choice<NonNullable<PostureFilter['framework']>>[] = [
  { value: 'sscf', label: 'CSA SSCF' },
  { value: 'ccm', label: 'CSA CCM' },
  { value: 'nist_csf', label: 'NIST CSF 2.0' },
  { value: 'iso27001', label: 'ISO 27001 Annex A' },
  { value: 'cis', label: 'CIS Controls' },
  { value: 'owasp_nhi', label: 'OWASP NHI Top 10' },
];
const ABOUT: readonly Choice<'nhi'>[] = [{ value: 'nhi', label: 'Non-human identities' }];

function Choose<Value extends string>(props: {
  readonly label: string;
  readonly choices: readonly Choice<Value>[];
  readonly value: Value | undefined;
  readonly onChange: (value: Value | undefined) => void;
}) {
  const { label, choices, value, onChange } = props;
  const options = [ANY, ...choices];
  return (
    <FormField label={label}>
      <Select
        options={options}
        selectedOption={options.find((one) => one.value === (value ?? '')) ?? ANY}
        onChange={({ detail }) => onChange(choices.find((one) => one.value === detail.selectedOption.value)?.value)}
      />
    </FormField>
  );
}

/** Narrows the page down; a framework also shows how each of its controls stands. */
export function PostureFilterBar({
  filter,
  onChange,
}: {
  readonly filter: PostureFilter;
  readonly onChange: (filter: PostureFilter) => void;
}) {
  const { framework, control, severity, result, product } = filter;
  return (
    <SpaceBetween direction="horizontal" size="m">
      <Choose
        label="Result"
        choices={RESULTS}
        value={result}
        onChange={(value) => onChange({ ...filter, result: value })}
      />
      <Choose
        label="Severity"
        choices={SEVERITIES}
        value={severity}
        onChange={(value) => onChange({ ...filter, severity: value })}
      />
      <Choose
        label="About"
        choices={ABOUT}
        value={product === 'nhi' ? 'nhi' : undefined}
        onChange={(value) => onChange({ ...filter, product: value })}
      />
      <Choose
        label="Framework"
        choices={FRAMEWORKS}
        value={framework}
        onChange={(value) => onChange({ ...filter, framework: value, control: undefined })}
      />
      {control === undefined ? null : (
        <FormField label="Control">
          <Button
            iconName="close"
            iconAlign="right"
            ariaLabel={`All controls instead of ${control}`}
            onClick={() => onChange({ ...filter, control: undefined })}
          >
            {control}
          </Button>
        </FormField>
      )}
    </SpaceBetween>
  );
}
