import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

const FROM = [
  { value: 'person', label: 'Who' },
  { value: 'vendor', label: 'Which vendor' },
  { value: 'integration', label: 'Which integration' },
  { value: 'api_key', label: 'Which API key' },
] as const;
const TO = [
  { value: 'restricted', label: 'restricted data' },
  { value: 'confidential', label: 'confidential data' },
] as const;
const THROUGH = [
  { value: 'unsanctioned', label: 'through an unsanctioned app' },
  { value: 'oauth_grant', label: 'through an OAuth grant' },
  { value: 'any', label: 'in any way' },
] as const;

const THROUGH_FILTERS = {
  unsanctioned: { through: { kind: ['app'] as 'app'[], sanctioned: false } },
  oauth_grant: { through: { kind: ['oauth_grant'] as 'oauth_grant'[] } },
  any: {},
} as const;

/** Asks who can reach what, through what. */
export function PathPanel({ onOpen }: { readonly onOpen: (id: string) => void }) {
  const [from, setFrom] = useState<(typeof FROM)[number]>(FROM[0]);
  const [to, setTo] = useState<(typeof TO)[number]>(TO[0]);
  const [through, setThrough] = useState<(typeof THROUGH)[number]>(THROUGH[0]);
  const ask = useMutation({
    mutationFn: async () =>
      taken(
        await api.POST('/api/v1/graph/paths', {
          body: {
            from: { kind: [from.value] },
            to: { kind: ['data_set'], classification: [to.value] },
            ...THROUGH_FILTERS[through.value],
            limit: 100,
          },
        }),
      ),
  });
  return (
    <Container header={<Header variant="h2">Ask</Header>}>
      <SpaceBetween size="m">
        <SpaceBetween direction="horizontal" size="xs" alignItems="center">
          <Select
            ariaLabel="Who"
            selectedOption={from}
            options={FROM}
            onChange={({ detail }) =>
              setFrom(FROM.find(({ value }) => value === detail.selectedOption.value) ?? FROM[0])
            }
          />
          <span>can reach</span>
          <Select
            ariaLabel="What"
            selectedOption={to}
            options={TO}
            onChange={({ detail }) => setTo(TO.find(({ value }) => value === detail.selectedOption.value) ?? TO[0])}
          />
          <Select
            ariaLabel="Through"
            selectedOption={through}
            options={THROUGH}
            onChange={({ detail }) =>
              setThrough(THROUGH.find(({ value }) => value === detail.selectedOption.value) ?? THROUGH[0])
            }
          />
          <Button loading={ask.isPending} onClick={() => ask.mutate()}>
            Ask
          </Button>
        </SpaceBetween>
        <ProblemAlert error={ask.error} />
        {ask.data ? (
          <div role="status">
            {ask.data.total === 0 ? (
              <Box>
                Nobody: {ask.data.matched.from} to start from, {ask.data.matched.to} to reach
                {ask.data.matched.through === null ? '' : `, ${ask.data.matched.through} in between`}.
              </Box>
            ) : (
              <ul>
                {ask.data.paths.map(({ steps }) => (
                  <li key={steps[0]?.node.id}>
                    {steps.map(({ node }, index) => (
                      <span key={node.id}>
                        {index === 0 ? '' : ' → '}
                        <Link onFollow={() => onOpen(node.id)}>{node.name}</Link>
                      </span>
                    ))}
                  </li>
                ))}
              </ul>
            )}
          </div>
        ) : null}
      </SpaceBetween>
    </Container>
  );
}
