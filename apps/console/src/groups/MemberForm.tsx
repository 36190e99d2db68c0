import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { AccessChange } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { AccessChanges } from './AccessChanges.tsx';
import { PersonSelect } from './PersonSelect.tsx';

const CHANGED = [['groups'], ['people'], ['leavers'], ['audit']] as const;

/** Puts somebody in or out; what that means is shown before it is done. */
export function MemberForm({
  group,
  leaving,
  onClose,
}: {
  readonly group: { readonly id: string; readonly displayName: string };
  /** Who is to go; null: somebody is to come in. */
  readonly leaving: { readonly id: string; readonly name: string } | null;
  readonly onClose: () => void;
}) {
  const [joining, setJoining] = useState<string | null>(null);
  const [preview, setPreview] = useState<readonly AccessChange[] | null>(null);
  const params = { path: { id: group.id } };
  const who = leaving?.id ?? joining;
  const body = { add: leaving === null && who !== null ? [who] : [], remove: leaving === null ? [] : [leaving.id] };
  const look = useCommand<void, readonly AccessChange[]>({
    run: async () => taken(await api.POST('/api/v1/groups/{id}/preview', { params, body })).changes,
    onDone: setPreview,
  });
  const change = useCommand<void, readonly AccessChange[]>({
    run: async () => taken(await api.POST('/api/v1/groups/{id}/members', { params, body })).changes,
    done: `The members of ${group.displayName} are changed.`,
    changes: CHANGED,
    onDone: onClose,
  });
  const title = leaving === null ? `Add somebody to ${group.displayName}` : `Take ${leaving.name} out?`;
  return (
    <FormDialog
      title={title}
      button={leaving === null ? 'Add' : 'Take out'}
      isReady={who !== null && preview !== null}
      command={{
        isPending: change.isPending,
        error: look.error ?? change.error,
        mutate: () => change.mutate(),
      }}
      onClose={onClose}
    >
      {leaving === null ? (
        <PersonSelect
          label="Person"
          value={joining}
          onChange={(id) => {
            setJoining(id);
            setPreview(null);
          }}
        />
      ) : null}
      <Button disabled={who === null} loading={look.isPending} onClick={() => look.mutate()}>
        Show what it means
      </Button>
      {preview === null ? null : (
        <Alert type="info" header="What it means">
          <AccessChanges changes={preview} />
        </Alert>
      )}
    </FormDialog>
  );
}

/** Removes a group, after showing who loses what. */
export function RemoveGroupForm({
  group,
  onClose,
  onDone,
}: {
  readonly group: { readonly id: string; readonly displayName: string };
  readonly onClose: () => void;
  readonly onDone: () => void;
}) {
  const [preview, setPreview] = useState<readonly AccessChange[] | null>(null);
  const params = { path: { id: group.id } };
  const look = useCommand<void, readonly AccessChange[]>({
    run: async () => taken(await api.POST('/api/v1/groups/{id}/preview', { params, body: { removed: true } })).changes,
    onDone: setPreview,
  });
  const remove = useCommand<void, unknown>({
    run: async () => taken(await api.DELETE('/api/v1/groups/{id}', { params })),
    done: `The group ${group.displayName} is removed.`,
    changes: CHANGED,
    onDone,
  });
  return (
    <FormDialog
      title={`Remove ${group.displayName}?`}
      button="Remove"
      isReady={preview !== null}
      command={{ isPending: remove.isPending, error: look.error ?? remove.error, mutate: () => remove.mutate() }}
      onClose={onClose}
    >
      <Button loading={look.isPending} onClick={() => look.mutate()}>
        Show what it means
      </Button>
      {preview === null ? null : (
        <Alert type="warning" header="What it means">
          <AccessChanges changes={preview} />
        </Alert>
      )}
    </FormDialog>
  );
}
