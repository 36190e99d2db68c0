import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import Multiselect from '@cloudscape-design/components/multiselect';
import Select from '@cloudscape-design/components/select';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { appsQuery, operationsQuery } from '../api/estate-queries.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Operation, Selector } from '../api/wire.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { selectorCovers } from './grant-text.ts';

type Way = 'operations' | 'tag' | 'access';
type Access = 'read' | 'write' | 'any';

const ACCESS_OPTIONS: readonly { value: Access; label: string }[] = [
  { value: 'read', label: 'Reads only' },
  { value: 'write', label: 'Writes only' },
  { value: 'any', label: 'Reads and writes' },
];

interface GrantFormProps {
  readonly integration: { readonly id: string; readonly name: string };
  /** Set up knows the app already. */
  readonly appId?: string;
  readonly onClose: () => void;
  readonly onDone?: () => void;
}

/** Grants an integration operations of one app: picked one by one, by tag, or all reads or writes. */
export function GrantForm({ integration, appId: fixedAppId, onClose, onDone }: GrantFormProps) {
  const apps = useQuery(appsQuery);
  const [appId, setAppId] = useState(fixedAppId ?? '');
  const [name, setName] = useState('default');
  const [selector, setSelector] = useState<Selector | null>(null);
  const operations = useQuery({ ...operationsQuery(appId), enabled: appId !== '' });
  const app = apps.data?.find(({ id }) => id === appId);
  const covered = selector ? (operations.data ?? []).filter((one) => selectorCovers(selector, one)).length : 0;
  const save = useCommand({
    run: async (select: Selector) =>
      taken(
        await api.POST('/api/v1/grants', {
          body: { integrationId: integration.id, appId, name, select: [select], resourceScope: [], expiresAt: null },
        }),
      ),
    done: `${integration.name} may call ${app?.title ?? 'the app'}.`,
    changes: [['grants'], ['map'], ['audit']],
    onDone: () => {
      onDone?.();
      onClose();
    },
  });
  return (
    <Modal
      visible
      size="large"
      header={`Grant operations to ${integration.name}`}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button
              variant="primary"
              disabled={!selector || appId === ''}
              loading={save.isPending}
              onClick={() => {
                if (selector) save.mutate(selector);
              }}
            >
              Grant
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={save.error ?? operations.error} />
        <FormField label="App">
          <Select
            placeholder="Choose an app"
            disabled={fixedAppId !== undefined}
            statusType={apps.isPending ? 'loading' : 'finished'}
            selectedOption={app ? { value: app.id, label: app.title } : null}
            options={(apps.data ?? []).map(({ id, title, name: slug }) => ({
              value: id,
              label: title,
              tags: [`/${slug}`],
            }))}
            onChange={({ detail }) => {
              setAppId(detail.selectedOption.value ?? '');
              setSelector(null);
            }}
          />
        </FormField>
        <FormField label="Name of the grant" description="A grant of the same name on this app is replaced.">
          <Input value={name} onChange={({ detail }) => setName(detail.value)} />
        </FormField>
        {appId === '' ? null : (
          <SelectorPicker
            key={appId}
            operations={operations.data ?? []}
            isLoading={operations.isPending}
            onChange={setSelector}
          />
        )}
        {selector ? (
          <Box color="text-body-secondary">
            Covers {covered} of {operations.data?.length ?? 0} operations.
          </Box>
        ) : null}
      </SpaceBetween>
    </Modal>
  );
}

function SelectorPicker({
  operations,
  isLoading,
  onChange,
}: {
  readonly operations: readonly Operation[];
  readonly isLoading: boolean;
  readonly onChange: (selector: Selector | null) => void;
}) {
  const [way, setWay] = useState<Way>('operations');
  const [ids, setIds] = useState<readonly string[]>([]);
  const [tag, setTag] = useState('');
  const [access, setAccess] = useState<Access>('read');
  const tell = (next: { way?: Way; ids?: readonly string[]; tag?: string; access?: Access }): void => {
    const now = { way, ids, tag, access, ...next };
    setWay(now.way);
    setIds(now.ids);
    setTag(now.tag);
    setAccess(now.access);
    if (now.way === 'operations') onChange(now.ids.length > 0 ? { kind: 'operations', ids: [...now.ids] } : null);
    else if (now.way === 'access') onChange({ kind: 'access', access: now.access });
    else onChange(now.tag === '' ? null : { kind: 'tag', tag: now.tag, access: now.access });
  };
  const tags = [...new Set(operations.flatMap((one) => one.tags))].sort();
  return (
    <SpaceBetween size="m">
      <SegmentedControl
        label="Grant by"
        selectedId={way}
        options={[
          { id: 'operations', text: 'Operations' },
          { id: 'tag', text: 'Tag', disabled: tags.length === 0 },
          { id: 'access', text: 'Reads or writes' },
        ]}
        onChange={({ detail }) => tell({ way: detail.selectedId as Way })} // one of the options
      />
      {way === 'operations' ? (
        <FormField label="Operations" description="Type to search by id, path or what it does.">
          <Multiselect
            filteringType="auto"
            expandToViewport
            keepOpen
            tokenLimit={8}
            placeholder="Choose operations"
            filteringPlaceholder="Search operations"
            statusType={isLoading ? 'loading' : 'finished'}
            empty="The app has no description, or it describes no operation."
            selectedOptions={ids.map((id) => ({ value: id, label: id }))}
            options={operations.map((one) => ({
              value: one.id,
              label: one.id,
              description: one.summary,
              labelTag: `${one.method.toUpperCase()} ${one.path}`,
              filteringTags: [one.path, one.method, one.summary],
            }))}
            onChange={({ detail }) => tell({ ids: detail.selectedOptions.flatMap(({ value }) => value ?? []) })}
          />
        </FormField>
      ) : null}
      {way === 'tag' ? (
        <FormField label="Tag">
          <Select
            filteringType="auto"
            expandToViewport
            placeholder="Choose a tag"
            selectedOption={tag === '' ? null : { value: tag, label: tag }}
            options={tags.map((value) => ({ value, label: value }))}
            onChange={({ detail }) => tell({ tag: detail.selectedOption.value ?? '' })}
          />
        </FormField>
      ) : null}
      {way === 'operations' ? null : (
        <FormField label="Access">
          <Select
            expandToViewport
            selectedOption={ACCESS_OPTIONS.find(({ value }) => value === access) ?? null}
            options={ACCESS_OPTIONS}
            onChange={({ detail }) => tell({ access: detail.selectedOption.value as Access })} // one of the options
          />
        </FormField>
      )}
    </SpaceBetween>
  );
}
