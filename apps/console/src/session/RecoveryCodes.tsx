import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

export function RecoveryCodes({ codes, onDone }: { readonly codes: readonly string[]; readonly onDone: () => void }) {
  const [isKept, setIsKept] = useState(false);
  return (
    <SpaceBetween size="m">
      <Alert type="warning">
        Each code signs you in once if you lose your passkey. Keep them where you keep important papers, not beside the
        passkey.
      </Alert>
      <ColumnLayout columns={2} minColumnWidth={150}>
        {codes.map((code) => (
          <Box key={code} variant="code" fontSize="body-m">
            {code}
          </Box>
        ))}
      </ColumnLayout>
      <CopyToClipboard
        textToCopy={codes.join('\n')}
        copyButtonText="Copy all"
        copySuccessText="Copied"
        copyErrorText="Copy them by hand"
      />
      <Checkbox checked={isKept} onChange={(event) => setIsKept(event.detail.checked)}>
        I have kept the codes
      </Checkbox>
      <Button variant="primary" disabled={!isKept} onClick={onDone}>
        Go to Cordon
      </Button>
    </SpaceBetween>
  );
}
