import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Modal from '@cloudscape-design/components/modal';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { App, McpItem } from '../api/wire.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { type DiffLine, diffDefinitions } from './definition-diff.ts';
import { describeFlag } from './flag-text.ts';
import './agents.css';

function Line({ mark, text }: DiffLine) {
  if (mark === '+') return <ins>{`+ ${text}`}</ins>;
  if (mark === '-') return <del>{`- ${text}`}</del>;
  return <span>{`  ${text}`}</span>;
}

/** One definition as the server gives it, what changed in it, and the decision. */
export function McpReview({
  app,
  item,
  onClose,
}: {
  readonly app: App;
  readonly item: McpItem;
  readonly onClose: () => void;
}) {
  const can = useCan();
  const [access, setAccess] = useState(item.access);
  const changed = item.acceptedSha256 !== null && item.acceptedSha256 !== item.seenSha256;
  const params = { path: { id: app.id, itemId: item.id } };
  const decide = useCommand({
    run: async (verb: 'accept' | 'reject') => {
      const body = { sha256: item.seenSha256, access };
      return taken(
        verb === 'accept'
          ? await api.POST('/api/v1/apps/{id}/mcp/items/{itemId}/accept', { params, body })
          : await api.POST('/api/v1/apps/{id}/mcp/items/{itemId}/reject', { params, body }),
      );
    },
    done: ({ name, state }) => `${name} is ${state}.`,
    changes: [['apps', app.id], ['audit']],
    onDone: onClose,
  });
  return (
    <Modal
      visible
      size="large"
      header={`${item.kind === 'instructions' ? 'Instructions' : item.name} of ${app.title}`}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        can('app.write') ? (
          <Box float="right">
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" onClick={onClose}>
                Cancel
              </Button>
              <Button loading={decide.isPending} onClick={() => decide.mutate('reject')}>
                Reject
              </Button>
              <Button variant="primary" loading={decide.isPending} onClick={() => decide.mutate('accept')}>
                Accept this definition
              </Button>
            </SpaceBetween>
          </Box>
        ) : null
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={decide.error} />
        {item.flags.length > 0 ? (
          <Alert type="warning" header="Look at this twice">
            {item.flags.map((flag) => (
              <div key={`${flag.rule} ${flag.at}`}>
                {describeFlag(flag.rule)} <Box variant="code">{flag.at}</Box>
                {flag.excerpt === '' ? null : `: “${flag.excerpt}”`}
              </div>
            ))}
          </Alert>
        ) : null}
        {changed ? (
          <Alert type={item.state === 'suspended' ? 'error' : 'info'}>
            The server gives another definition than the one that was accepted. Until somebody decides, nobody may use
            it.
          </Alert>
        ) : null}
        <pre className="definition-diff" aria-label={changed ? 'What changed' : 'Definition'}>
          {diffDefinitions(changed ? item.accepted : null, item.seen).map((line, index) => (
            <Line key={index} {...line} />
          ))}
        </pre>
        {item.kind === 'tool' && can('app.write') ? (
          <FormField label="Grants take it for" description="What the server says of itself is only a hint.">
            <SegmentedControl
              label="Grants take it for"
              selectedId={access}
              options={[
                { id: 'read', text: 'a read' },
                { id: 'write', text: 'a write' },
              ]}
              onChange={({ detail }) => setAccess(detail.selectedId === 'read' ? 'read' : 'write')}
            />
          </FormField>
        ) : null}
      </SpaceBetween>
    </Modal>
  );
}
