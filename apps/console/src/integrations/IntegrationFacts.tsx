import Container from '@cloudscape-design/components/container';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { Integration } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { showDay } from '../display/time.ts';
import { useNow } from '../display/use-now.ts';
import { IntegrationStatus } from './IntegrationStatus.tsx';

const MONTH_MS = 30 * 86_400_000;

export const ASSURANCE_TEXT: Readonly<Record<Integration['assurance'], string>> = {
  m0: 'A shared secret is enough',
  m1: 'Must prove possession of a key',
  m2: 'Must prove possession of two keys',
};

/** Whether an integration will end, and how soon. */
export function Expiry({ expiresAt }: { readonly expiresAt: number | null }) {
  const now = useNow(60_000);
  if (expiresAt === null) return <StatusIndicator type="warning">Never</StatusIndicator>;
  if (expiresAt <= now) return <StatusIndicator type="error">Ended {showDay(expiresAt)}</StatusIndicator>;
  if (expiresAt - now < MONTH_MS) return <StatusIndicator type="warning">{showDay(expiresAt)}</StatusIndicator>;
  return <span style={{ whiteSpace: 'nowrap' }}>{showDay(expiresAt)}</span>;
}

export function IntegrationFacts({ integration }: { readonly integration: Integration }) {
  return (
    <Container>
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'Status', value: <IntegrationStatus status={integration.status} /> },
          { label: 'Owner', value: integration.owner.name },
          { label: 'Kind', value: integration.kind },
          { label: 'Ends', value: <Expiry expiresAt={integration.expiresAt} /> },
          { label: 'Proof asked for', value: ASSURANCE_TEXT[integration.assurance] },
          { label: 'Registered', value: <Ago at={integration.createdAt} /> },
          { label: 'Changed', value: <Ago at={integration.updatedAt} /> },
          {
            label: 'Id',
            value: (
              <CopyToClipboard
                variant="inline"
                textToCopy={integration.id}
                copyButtonAriaLabel="Copy the id"
                copySuccessText="Copied"
                copyErrorText="Copy it by hand"
              />
            ),
          },
        ]}
      />
    </Container>
  );
}
