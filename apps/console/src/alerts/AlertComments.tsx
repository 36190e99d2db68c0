import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { AlertDetail } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';

export function AlertComments({ alert, isWritable }: { readonly alert: AlertDetail; readonly isWritable: boolean }) {
  const [text, setText] = useState('');
  const add = useCommand<void, unknown>({
    run: async () => {
      const params = { path: { id: alert.id } };
      return taken(await api.POST('/api/v1/alerts/{id}/comments', { params, body: { text } }));
    },
    changes: [['alerts'], ['audit']],
    onDone: () => setText(''),
  });
  return (
    <Container header={<Header variant="h2">Comments</Header>}>
      <SpaceBetween size="m">
        {alert.comments.map((comment) => (
          <div key={comment.id}>
            <Box variant="small">
              {comment.author}, <Ago at={comment.at} />
            </Box>
            <Box variant="p">{comment.text}</Box>
          </div>
        ))}
        {isWritable ? (
          <>
            <FormField label="New comment" errorText={fieldProblem(add.error, 'text') ?? add.error?.message}>
              <Textarea value={text} rows={2} onChange={({ detail }) => setText(detail.value)} />
            </FormField>
            <Button disabled={text.trim() === ''} loading={add.isPending} onClick={() => add.mutate()}>
              Comment
            </Button>
          </>
        ) : null}
      </SpaceBetween>
    </Container>
  );
}
