import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Webhook, WebhookDeliveryDetail } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { DeliveryState } from './WebhookBadges.tsx';
import { deliveryQuery } from './webhook-queries.ts';

type Attempt = WebhookDeliveryDetail['attempts'][number];

/** One delivery: what came, masked, and each attempt to hand it on. */
export function DeliveryView({
  endpoint,
  id,
  onClose,
}: {
  readonly endpoint: Webhook;
  readonly id: string;
  readonly onClose: () => void;
}) {
  const can = useCan();
  const detail = useQuery(deliveryQuery(endpoint.id, id));
  const redeliver = useCommand({
    run: async () => {
      const params = { path: { id: endpoint.id, delivery: id } };
      return taken(await api.POST('/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver', { params }));
    },
    done: 'It is sent again.',
    changes: [['webhooks'], ['audit']],
  });
  const canSend = can('webhook.write') && detail.data?.delivery.isKept === true;
  return (
    <Modal
      visible
      size="max"
      header="Delivery"
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Close
            </Button>
            {canSend ? (
              <Button variant="primary" loading={redeliver.isPending} onClick={() => redeliver.mutate(undefined)}>
                Send again
              </Button>
            ) : null}
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={redeliver.error} />
        <QueryState query={detail}>{(data) => <Content detail={data} />}</QueryState>
      </SpaceBetween>
    </Modal>
  );
}

function Content({ detail }: { readonly detail: WebhookDeliveryDetail }) {
  const { delivery, content, attempts } = detail;
  return (
    <SpaceBetween size="m">
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'Type', value: delivery.type || '-' },
          { label: 'State', value: <DeliveryState delivery={delivery} /> },
          { label: 'Came', value: <Ago at={delivery.receivedAt} /> },
          { label: 'webhook-id', value: delivery.id },
        ]}
      />
      {content === null ? (
        <Box color="text-body-secondary">
          {delivery.status === 'duplicate'
            ? 'A copy of an earlier delivery: its content was not kept.'
            : 'Its content was erased after its time.'}
        </Box>
      ) : (
        <Block title="Body, sensitive data masked" text={content.body} />
      )}
      {attempts.map((attempt) => (
        <OneAttempt key={attempt.id} attempt={attempt} />
      ))}
    </SpaceBetween>
  );
}

function OneAttempt({ attempt }: { readonly attempt: Attempt }) {
  const isGood = attempt.status !== null && attempt.status >= 200 && attempt.status < 300;
  return (
    <ExpandableSection
      headerText={`Attempt ${attempt.number}: ${attempt.status ?? 'no answer'}, ${attempt.durationMs} ms`}
      defaultExpanded={!isGood && attempt.number === 1}
    >
      <SpaceBetween size="s">
        <SpaceBetween direction="horizontal" size="s">
          <StatusIndicator type={isGood ? 'success' : 'error'}>{isGood ? 'Delivered' : 'Failed'}</StatusIndicator>
          <Ago at={attempt.at} />
        </SpaceBetween>
        {attempt.error === null ? null : <Box>{attempt.error}</Box>}
        {Object.keys(attempt.headers).length === 0 ? null : (
          <Block
            title="Answer's header"
            text={Object.entries(attempt.headers)
              .map(([name, value]) => `${name}: ${value}`)
              .join('\n')}
          />
        )}
        {attempt.body === null ? null : <Block title="Answer's body, sensitive data masked" text={attempt.body} />}
      </SpaceBetween>
    </ExpandableSection>
  );
}

function Block({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <div>
      <Box variant="awsui-key-label">{title}</Box>
      <Box variant="code">
        <pre style={{ margin: 0, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', maxHeight: 260, overflow: 'auto' }}>
          {text}
        </pre>
      </Box>
    </div>
  );
}
