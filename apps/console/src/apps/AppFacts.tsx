import Container from '@cloudscape-design/components/container';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';
import { systemQuery } from '../api/estate-queries.ts';
import type { App } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { showCount } from '../display/number.ts';
import { CopyText } from '../integrations/MadeCredentialView.tsx';

export function AppFacts({ app }: { readonly app: App }) {
  const system = useQuery(systemQuery);
  const { settings, description, credential } = app;
  return (
    <Container>
      <KeyValuePairs
        columns={4}
        items={[
          {
            label: 'Called at',
            value: system.data ? (
              <CopyText
                text={`${system.data.gatewayUrl}/${settings.mcp ? 'mcp/' : ''}${app.name}`}
                label="Copy the address"
              />
            ) : (
              `/${app.name}`
            ),
          },
          { label: 'Owner', value: app.owner?.name ?? 'nobody: only owners and security may change it' },
          ...(settings.port === null ? [] : [{ label: 'Own port', value: String(settings.port) }]),
          {
            label: 'Credential',
            value: credential ? (
              <span>
                {credential.kind}, <Ago at={credential.createdAt} /> by {credential.createdBy}
              </span>
            ) : (
              <StatusIndicator type="warning">None: calls go out without one</StatusIndicator>
            ),
          },
          {
            label: 'Description',
            value: description ? (
              `${description.title} ${description.version}, ${showCount(description.operations)} operations`
            ) : settings.mcp ? (
              'MCP server: its tools are the operations'
            ) : settings.graphql ? (
              'GraphQL: its fields are the operations'
            ) : (
              <StatusIndicator type="warning">None: every call is unknown</StatusIndicator>
            ),
          },
          {
            label: 'Unknown operations',
            value: settings.unknownOperations === 'refuse' ? 'Refused' : 'Allowed if granted',
          },
          { label: 'Requests are checked', value: settings.validateRequests },
          { label: 'Responses are checked', value: settings.validateResponses },
          { label: 'Classification', value: settings.classification ?? 'not set' },
        ]}
      />
    </Container>
  );
}
