import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

/** Corporate providers that lead to this account; nothing when there are none. */
export function OwnProviders() {
  const providers = useQuery({
    queryKey: ['own-providers'],
    queryFn: async () => taken(await api.GET('/api/v1/auth/upstream')).items,
  });
  if (!providers.data || providers.data.length === 0) return null;
  return (
    <Container header={<Header variant="h2">Your company’s providers</Header>}>
      <KeyValuePairs columns={2} items={providers.data.map(({ name, email }) => ({ label: name, value: email }))} />
    </Container>
  );
}
