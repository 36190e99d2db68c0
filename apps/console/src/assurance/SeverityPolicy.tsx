import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Container from '@cloudscape-design/components/container';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { type FindingPolicy, findingPolicyQuery } from './assurance-queries.ts';

const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'] as const;
const titled = (severity: string): string => `${severity.slice(0, 1).toUpperCase()}${severity.slice(1)}`;
const shown = (days: number | null): string => (days === null ? 'No date' : `${days} days`);

/** Within how many days a finding must be closed, by severity. */
export function SeverityPolicy() {
  const can = useCan();
  const policy = useQuery(findingPolicyQuery);
  const [isChanging, setChanging] = useState(false);
  return (
    <Container
      header={
        <Header
          variant="h2"
          description="From the last day of the test to closure; findings that are kept already stay as they are."
          actions={
            policy.data && can('vendor.write') ? (
              <Button ariaLabel="Change the due dates of findings" onClick={() => setChanging(true)}>
                Change
              </Button>
            ) : null
          }
        >
          Due dates of findings
        </Header>
      }
    >
      <ProblemAlert error={policy.error} />
      {policy.data ? (
        <KeyValuePairs
          columns={5}
          items={SEVERITIES.map((one) => ({ label: titled(one), value: shown(policy.data[one]) }))}
        />
      ) : (
        <Box color="text-body-secondary">Loading</Box>
      )}
      {isChanging && policy.data ? <PolicyDialog policy={policy.data} onClose={() => setChanging(false)} /> : null}
    </Container>
  );
}

function PolicyDialog({ policy, onClose }: { readonly policy: FindingPolicy; readonly onClose: () => void }) {
  const [days, setDays] = useState(() => SEVERITIES.map((one) => String(policy[one] ?? '')));
  const read = (text: string): number | null => (text.trim() === '' ? null : Number(text));
  const save = useCommand({
    run: async () => {
      const [critical, high, medium, low, info] = days.map(read);
      const body = {
        critical: critical ?? null,
        high: high ?? null,
        medium: medium ?? null,
        low: low ?? null,
        info: info ?? null,
      };
      return taken(await api.PUT('/api/v1/finding-policy', { body }));
    },
    done: 'New findings are due by it.',
    changes: [['finding-policy']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Due dates of findings"
      button="Save"
      isReady={days.every((text) => /^(?:[1-9]\d{0,3})?$/.test(text.trim()))}
      command={{ isPending: save.isPending, error: save.error, mutate: () => save.mutate(undefined) }}
      onClose={onClose}
    >
      <SpaceBetween size="s">
        {SEVERITIES.map((one, at) => (
          <FormField
            key={one}
            label={`${titled(one)}, days`}
            description={at === 0 ? 'Empty: no date.' : undefined}
            errorText={fieldProblem(save.error, one)}
          >
            <Input
              inputMode="numeric"
              value={days[at] ?? ''}
              onChange={({ detail }) => setDays(days.with(at, detail.value))}
            />
          </FormField>
        ))}
      </SpaceBetween>
    </FormDialog>
  );
}
