import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { MadeCredential } from '../api/wire.ts';

export function CopyText({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <CopyToClipboard
      variant="inline"
      textToCopy={text}
      copyButtonAriaLabel={label}
      copySuccessText="Copied"
      copyErrorText="Copy it by hand"
    />
  );
}

/** A credential that was just made: the only time that its secret can be read. */
export function MadeCredentialView({
  made,
  name,
  onClose,
}: {
  readonly made: MadeCredential;
  readonly name: string;
  readonly onClose: () => void;
}) {
  return (
    <Modal
      visible
      size="large"
      header={`Credential of ${name}`}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <Button variant="primary" onClick={onClose}>
            {made.clientSecret === null ? 'Done' : 'I have kept the secret'}
          </Button>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {made.clientSecret === null ? null : (
          <Alert type="warning" header="The secret is shown this once">
            Cordon keeps only its hash. If it is lost, add another credential and remove this one.
          </Alert>
        )}
        <KeyValuePairs
          items={[
            { label: 'Client id', value: <CopyText text={made.clientId} label="Copy the client id" /> },
            ...(made.clientSecret === null
              ? []
              : [
                  {
                    label: 'Client secret',
                    value: <CopyText text={made.clientSecret} label="Copy the client secret" />,
                  },
                ]),
            { label: 'Token endpoint', value: <CopyText text={made.tokenEndpoint} label="Copy the token endpoint" /> },
          ]}
        />
      </SpaceBetween>
    </Modal>
  );
}
