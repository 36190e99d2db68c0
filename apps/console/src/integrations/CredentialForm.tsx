import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import Tiles from '@cloudscape-design/components/tiles';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { MadeCredential } from '../api/wire.ts';
import { type Delivery, DeliveryFields, deliveryOf } from '../approvals/DeliveryFields.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { readJwks } from './jwks.ts';
import { MadeCredentialView } from './MadeCredentialView.tsx';

type Method = 'private_key_jwt' | 'client_secret_basic';

interface CredentialFormProps {
  readonly integration: { readonly id: string; readonly name: string };
  readonly onClose: () => void;
  readonly onMade?: (made: MadeCredential) => void;
}

/** Makes a credential; its secret, if it has one, is shown this once. */
export function CredentialForm({ integration, onClose, onMade }: CredentialFormProps) {
  const { id } = integration;
  const [method, setMethod] = useState<Method>('private_key_jwt');
  const [text, setText] = useState('');
  const [delivery, setDelivery] = useState<Delivery>({ mode: 'poll', endpoint: '' });
  const jwks = readJwks(text);
  const told = deliveryOf(delivery);
  const make = useCommand({
    run: async () =>
      taken(
        await api.POST('/api/v1/integrations/{id}/credentials', {
          params: { path: { id } },
          body: {
            ...(method === 'client_secret_basic' ? { method } : { method, jwks: { keys: jwks.keys } }),
            ...(told ? { delivery: told } : {}),
          },
        }),
      ),
    changes: [['credentials', id], ['audit']],
    onDone: (made) => onMade?.(made),
  });
  if (make.data) return <MadeCredentialView made={make.data} name={integration.name} onClose={onClose} />;
  const isProved = method === 'client_secret_basic' || (text.trim() !== '' && jwks.problem === null);
  const isReady = isProved && (told === undefined || told.endpoint.startsWith('https://'));
  return (
    <Modal
      visible
      size="large"
      header={`Add a credential to ${integration.name}`}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" disabled={!isReady} loading={make.isPending} onClick={() => make.mutate()}>
              Add credential
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={make.error} />
        <Tiles
          ariaLabel="How it proves itself"
          value={method}
          onChange={({ detail }) => setMethod(detail.value as Method)} // one of the tiles
          items={[
            {
              value: 'private_key_jwt',
              label: 'Private key (recommended)',
              description: 'It keeps a private key and signs each token request. Cordon only knows the public key.',
            },
            {
              value: 'client_secret_basic',
              label: 'Client secret',
              description: 'A shared secret: simpler, and weaker, since whoever reads it can use it.',
            },
          ]}
        />
        {method === 'private_key_jwt' ? (
          <FormField
            label="Public keys (JWKS)"
            description="Paste a JSON Web Key or a key set. Private members are refused."
            errorText={text.trim() === '' ? '' : jwks.problem}
            stretch
          >
            <Textarea
              value={text}
              rows={8}
              spellcheck={false}
              placeholder='{"keys":[{"kty":"EC","crv":"P-256","x":"…","y":"…","kid":"2026-11"}]}'
              onChange={({ detail }) => setText(detail.value)}
            />
          </FormField>
        ) : (
          <Alert type="info">
            The secret is shown once after this step. Have the place ready where it will be kept.
          </Alert>
        )}
        <DeliveryFields
          value={delivery}
          problem={fieldProblem(make.error, 'delivery.endpoint')}
          onChange={setDelivery}
        />
      </SpaceBetween>
    </Modal>
  );
}
