import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';
import { useQuery } from '@tanstack/react-query';
import { peopleQuery } from './group-queries.ts';

/** One person, by name; nobody is the first choice where that is allowed. */
export function PersonSelect({
  label,
  description,
  value,
  none,
  onChange,
}: {
  readonly label: string;
  readonly description?: string;
  readonly value: string | null;
  /** What choosing nobody means; absent: somebody must be chosen. */
  readonly none?: string;
  readonly onChange: (id: string | null) => void;
}) {
  const people = useQuery(peopleQuery);
  const options = [
    ...(none === undefined ? [] : [{ value: '', label: none }]),
    ...(people.data ?? [])
      .filter(({ status }) => status !== 'disabled')
      .map(({ id, name, login }) => ({ value: id, label: name, description: login })),
  ];
  return (
    <FormField label={label} description={description}>
      <Select
        filteringType="auto"
        expandToViewport
        placeholder="Choose a person"
        statusType={people.isPending ? 'loading' : 'finished'}
        options={options}
        selectedOption={options.find((one) => one.value === (value ?? '')) ?? null}
        onChange={({ detail }) => onChange(detail.selectedOption.value || null)}
      />
    </FormField>
  );
}
