import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { UseMutationResult } from '@tanstack/react-query';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

/** Asks before something is taken away; says what follows from it. */
export function Confirm<Input, Output>({
  title,
  text,
  button,
  command,
  input,
  onClose,
}: {
  readonly title: string;
  readonly text: string;
  readonly button: string;
  readonly command: UseMutationResult<Output, Error, Input>;
  readonly input: Input;
  readonly onClose: () => void;
}) {
  return (
    <Modal
      visible
      header={title}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={command.isPending} onClick={() => command.mutate(input)}>
              {button}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Box>{text}</Box>
        <ProblemAlert error={command.error} />
      </SpaceBetween>
    </Modal>
  );
}
