import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import type { Portal } from './portal-api.ts';
import type { PortalTexts } from './portal-texts.ts';

/** Asks a colleague for a section, or for everything. */
export function DelegateDialog({
  portal,
  questions,
  texts,
  onClose,
}: {
  readonly portal: Portal;
  readonly questions: readonly string[];
  readonly texts: PortalTexts;
  readonly onClose: () => void;
}) {
  const [email, setEmail] = useState('');
  const [isOnlySection, setOnlySection] = useState(true);
  const ask = useMutation({ mutationFn: async () => portal.delegate(email, isOnlySection ? [...questions] : null) });
  return (
    <Modal
      visible
      header={texts.delegate}
      closeAriaLabel={texts.close}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {ask.isSuccess ? texts.close : texts.cancel}
            </Button>
            {ask.isSuccess ? null : (
              <Button
                variant="primary"
                loading={ask.isPending}
                disabled={!email.includes('@')}
                onClick={() => ask.mutate()}
              >
                {texts.say}
              </Button>
            )}
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={ask.error} />
        {ask.isSuccess ? <Alert type="success">{texts.asked}</Alert> : <Box>{texts.delegateText}</Box>}
        <FormField label={texts.email}>
          <Input type="email" value={email} onChange={({ detail }) => setEmail(detail.value)} />
        </FormField>
        <Checkbox checked={isOnlySection} onChange={({ detail }) => setOnlySection(detail.checked)}>
          {texts.onlySection}
        </Checkbox>
      </SpaceBetween>
    </Modal>
  );
}
