import Box from '@cloudscape-design/components/box';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';
import { operationsQuery, systemQuery, trafficQuery } from '../api/estate-queries.ts';
import type { App, Integration, MadeCredential } from '../api/wire.ts';
import { quoteValue } from '../events/query-text.ts';
import { callCommand, tokenCommand } from './first-call-commands.ts';

const HOUR_MS = 3_600_000;

/** The two commands of a first call, filled in, and whether the call has arrived. */
export function FirstCall({
  app,
  integration,
  credential,
}: {
  readonly app: App;
  readonly integration: Integration;
  readonly credential: MadeCredential | null;
}) {
  const system = useQuery(systemQuery);
  const operations = useQuery(operationsQuery(app.id));
  const query = `integration:${quoteValue(integration.id)} app:${quoteValue(app.id)}`;
  const traffic = useQuery(trafficQuery({ query, windowMs: HOUR_MS, by: 'decision' }));
  const calls = (traffic.data ?? []).reduce((sum, row) => sum + row.calls, 0);
  const gatewayUrl = system.data?.gatewayUrl ?? '';
  return (
    <SpaceBetween size="m">
      <Command label="Get a token" text={tokenCommand(credential, window.location.origin)} />
      <Command label="Call" text={callCommand(gatewayUrl, app.name, operations.data ?? [])} />
      {calls > 0 ? (
        <StatusIndicator type="success">{calls} calls arrived in the last hour</StatusIndicator>
      ) : (
        <StatusIndicator type="pending">Waiting for its first call</StatusIndicator>
      )}
    </SpaceBetween>
  );
}

function Command({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    <div>
      <Box variant="awsui-key-label">{label}</Box>
      <SpaceBetween direction="horizontal" size="xs" alignItems="start">
        <pre style={{ margin: 0, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{text}</pre>
        <CopyToClipboard
          variant="icon"
          textToCopy={text}
          copyButtonAriaLabel={`Copy: ${label}`}
          copySuccessText="Copied"
          copyErrorText="Copy it by hand"
        />
      </SpaceBetween>
    </div>
  );
}
