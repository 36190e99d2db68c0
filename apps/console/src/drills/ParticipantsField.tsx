import FormField from '@cloudscape-design/components/form-field';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCan } from '../session/session-query.ts';

const PEOPLE_MAX = 200;

/** Those whom Cordon knows; none for somebody who may not read them. */
export function usePeople() {
  const mayRead = useCan()('person.read');
  const found = useQuery({
    queryKey: ['people', 'names'],
    enabled: mayRead,
    queryFn: async () => taken(await api.GET('/api/v1/people', { params: { query: { limit: PEOPLE_MAX } } })).people,
  });
  return found.data ?? [];
}

export function ParticipantsField(props: {
  readonly value: string;
  readonly isWrong: boolean;
  readonly roles: readonly string[];
  readonly onChange: (value: string) => void;
}) {
  return (
    <FormField
      label="Who takes part"
      description={`One a line, as "commander: Ada Byron". This scenario wants: ${props.roles.join(', ')}.`}
      errorText={props.isWrong ? 'A line is not "role: name".' : ''}
    >
      <Textarea value={props.value} rows={4} onChange={({ detail }) => props.onChange(detail.value)} />
    </FormField>
  );
}
