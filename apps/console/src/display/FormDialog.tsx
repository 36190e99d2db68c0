import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { ReactNode } from 'react';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

/** A form in a dialog, with the server's refusal above its fields. */
export function FormDialog({
  title,
  button,
  isReady = true,
  command,
  onClose,
  children,
}: {
  readonly title: string;
  readonly button: string;
  readonly isReady?: boolean;
  readonly command: { readonly isPending: boolean; readonly error: unknown; readonly mutate: () => void };
  readonly onClose: () => void;
  readonly children: ReactNode;
}) {
  return (
    <Modal
      visible
      size="large"
      header={title}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" disabled={!isReady} loading={command.isPending} onClick={() => command.mutate()}>
              {button}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={command.error} />
        {children}
      </SpaceBetween>
    </Modal>
  );
}
