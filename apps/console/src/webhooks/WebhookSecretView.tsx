import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { CopyText } from '../integrations/MadeCredentialView.tsx';

export interface MadeWebhook {
  readonly address: string;
  readonly signingSecret: string;
}

/** The address for the vendor and the secret for the integration, after an endpoint or a secret was made. */
export function WebhookSecretView({ made, onClose }: { readonly made: MadeWebhook; readonly onClose: () => void }) {
  return (
    <Modal
      visible
      size="large"
      header="The endpoint's address and secret"
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <Button variant="primary" onClick={onClose}>
            I have kept it
          </Button>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Box>Paste this address at the vendor:</Box>
        <CopyText text={made.address} label="Copy the address" />
        <Alert type="warning">The secret is shown this once.</Alert>
        <Box>
          The integration checks deliveries with it, as Standard Webhooks says (fields webhook-id, webhook-timestamp and
          webhook-signature):
        </Box>
        <CopyText text={made.signingSecret} label="Copy the secret" />
      </SpaceBetween>
    </Modal>
  );
}
