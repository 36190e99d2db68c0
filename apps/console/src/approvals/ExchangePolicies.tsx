import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Multiselect from '@cloudscape-design/components/multiselect';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { appsQuery, integrationsQuery, systemQuery } from '../api/estate-queries.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { ExchangePolicy, Integration } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { Confirm } from '../display/Confirm.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

const policiesQuery = queryOptions({
  queryKey: ['exchange-policies'],
  queryFn: async () => taken(await api.GET('/api/v1/exchange-policies')).items,
});

interface PanelProps {
  readonly integration: Pick<Integration, 'id' | 'name'>;
}

/** Which tokens of others the clients of an integration may exchange, and who may exchange its own. */
export function ExchangePolicies({ integration }: PanelProps) {
  const can = useCan();
  const policies = useQuery(policiesQuery);
  const integrations = useQuery(integrationsQuery);
  const [isAdding, setAdding] = useState(false);
  const [removed, setRemoved] = useState<ExchangePolicy | null>(null);
  const nameOf = (id: string): string => integrations.data?.find((one) => one.id === id)?.name ?? id;
  const rows = (policies.data ?? []).filter(({ from, to }) => from === integration.id || to === integration.id);
  const remove = useCommand({
    run: async ({ from, to }: ExchangePolicy) =>
      taken(await api.DELETE('/api/v1/exchange-policies/{from}/{to}', { params: { path: { from, to } } })),
    done: 'The policy is gone, and the tokens that crossed over by it with it.',
    changes: [['exchange-policies'], ['audit']],
    onDone: () => setRemoved(null),
  });
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={policies.error} />
      <Table<ExchangePolicy>
        variant="container"
        wrapLines
        loading={policies.isPending}
        loadingText="Loading policies"
        items={rows}
        trackBy={({ from, to }) => `${from} ${to}`}
        ariaLabels={{ tableLabel: 'Token exchange' }}
        header={
          <Header
            variant="h2"
            counter={`(${rows.length})`}
            description="A client gets a token of its own integration for one of another, for these apps, bound to its key, for five minutes. It ends at once with the first."
            actions={
              can('integration.credential') ? <Button onClick={() => setAdding(true)}>Allow an exchange</Button> : null
            }
          >
            Token exchange
          </Header>
        }
        columnDefinitions={[
          { id: 'from', header: 'Tokens of', isRowHeader: true, minWidth: 140, cell: ({ from }) => nameOf(from) },
          { id: 'to', header: 'Exchanged by', minWidth: 140, cell: ({ to }) => nameOf(to) },
          { id: 'apps', header: 'For', minWidth: 200, cell: ({ resources }) => resources.join(', ') },
          { id: 'reason', header: 'Why', minWidth: 160, cell: ({ reason }) => reason },
          {
            id: 'made',
            header: 'Made',
            minWidth: 140,
            cell: ({ createdAt, createdBy }) => (
              <>
                <Ago at={createdAt} /> by {createdBy}
              </>
            ),
          },
          ...(can('integration.credential')
            ? [
                {
                  id: 'remove',
                  header: 'Action',
                  cell: (row: ExchangePolicy) => (
                    <Button
                      variant="inline-link"
                      ariaLabel={`Remove the exchange from ${nameOf(row.from)} to ${nameOf(row.to)}`}
                      onClick={() => setRemoved(row)}
                    >
                      Remove
                    </Button>
                  ),
                },
              ]
            : []),
        ]}
        empty={<Box color="text-body-secondary">No token of another integration may be exchanged.</Box>}
      />
      {isAdding ? <PolicyForm integration={integration} onClose={() => setAdding(false)} /> : null}
      {removed ? (
        <Confirm
          title="Remove this exchange?"
          text="Tokens that crossed over by it end at once, and no new ones are given."
          button="Remove"
          command={remove}
          input={removed}
          onClose={() => setRemoved(null)}
        />
      ) : null}
    </SpaceBetween>
  );
}

function PolicyForm({ integration, onClose }: PanelProps & { readonly onClose: () => void }) {
  const apps = useQuery(appsQuery);
  const integrations = useQuery(integrationsQuery);
  const system = useQuery(systemQuery);
  const [from, setFrom] = useState('');
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [reason, setReason] = useState('');
  const save = useCommand({
    run: async () =>
      taken(
        await api.PUT('/api/v1/exchange-policies/{from}/{to}', {
          params: { path: { from, to: integration.id } },
          body: { resources: chosen.map((name) => `${system.data?.gatewayUrl}/${name}`), reason },
        }),
      ),
    done: 'The exchange is allowed.',
    changes: [['exchange-policies'], ['audit']],
    onDone: onClose,
  });
  const others = (integrations.data ?? [])
    .filter(({ id }) => id !== integration.id)
    .map(({ id, name }) => ({ value: id, label: name }));
  const options = (apps.data ?? []).map(({ name, title }) => ({ value: name, label: title }));
  return (
    <FormDialog
      button="Allow"
      title={`What ${integration.name} may exchange`}
      isReady={from !== '' && chosen.length > 0 && reason.trim().length >= 3 && system.data !== undefined}
      command={save}
      onClose={onClose}
    >
      <FormField
        label="Tokens of"
        description="An integration of the same owner."
        errorText={fieldProblem(save.error, 'to')}
      >
        <Select
          expandToViewport
          options={others}
          selectedOption={others.find(({ value }) => value === from) ?? null}
          onChange={({ detail }) => setFrom(detail.selectedOption.value ?? '')}
        />
      </FormField>
      <FormField label="For these apps" errorText={fieldProblem(save.error, 'resources')}>
        <Multiselect
          expandToViewport
          options={options}
          selectedOptions={options.filter(({ value }) => chosen.includes(value))}
          onChange={({ detail }) => setChosen(detail.selectedOptions.flatMap(({ value }) => value ?? []))}
        />
      </FormField>
      <FormField label="Why" errorText={fieldProblem(save.error, 'reason')}>
        <Textarea rows={2} value={reason} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
