import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { UploadButton } from './UploadButton.tsx';
import { parseVendorList } from './vendor-draft.ts';

/** Vendors from a list in CSV; what is there already is left as it is. */
export function VendorImport({ onClose }: { readonly onClose: () => void }) {
  const [list, setList] = useState<ReturnType<typeof parseVendorList> | null>(null);
  const run = useCommand({
    run: async () => {
      const vendors = (list?.rows ?? []).map((row) => ({ ...row, contacts: [], note: '', appIds: [] }));
      return taken(await api.POST('/api/v1/vendors/import', { body: { vendors } }));
    },
    done: ({ created, existing }) => `${created} vendors added; ${existing.length} were there already.`,
    changes: [['vendors']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Import vendors"
      button="Import"
      isReady={list !== null && list.rows.length > 0}
      command={{ isPending: run.isPending, error: run.error, mutate: () => run.mutate(undefined) }}
      onClose={onClose}
    >
      <Box>
        A CSV file whose first line names its columns: <code>name</code>, and where wanted <code>tier</code>,{' '}
        <code>owner</code>, <code>website</code>, <code>regions</code> and <code>products</code>.
      </Box>
      <UploadButton
        label="Choose a list"
        accept=".csv,.txt"
        onFile={({ content }) => {
          const bytes = Uint8Array.from(atob(content), (char) => char.codePointAt(0) ?? 0);
          setList(parseVendorList(new TextDecoder().decode(bytes)));
        }}
      />
      {list ? <Box fontWeight="bold">{`${list.rows.length} vendors in the list`}</Box> : null}
      {list && list.problems.length > 0 ? (
        <Alert type="warning" header="Left out">
          {list.problems.slice(0, 10).join(' ')}
        </Alert>
      ) : null}
    </FormDialog>
  );
}
