import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FileUpload from '@cloudscape-design/components/file-upload';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { showCount } from '../display/number.ts';
import { showTime } from '../display/time.ts';
import { UPLOAD_TEXTS } from '../display/upload-texts.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { type FileRead, filesQuery } from './discovery-queries.ts';

function ReadForm() {
  const files = useQuery(filesQuery);
  const [file, setFile] = useState<File | null>(null);
  const [format, setFormat] = useState('');
  const options = (files.data?.formats ?? []).map(({ name, title }) => ({ value: name, label: title }));
  const read = useCommand({
    run: async () => {
      const params = { query: { format, name: file?.name ?? 'upload' } };
      // The file itself is the body: the browser sends it as it reads it.
      const request = {
        params,
        body: file,
        bodySerializer: (body: unknown) => body,
        headers: { 'content-type': 'application/octet-stream' },
      };
      return taken(await api.POST('/api/v1/discovery/files', request as never)) as FileRead; // the description has no type for raw bytes
    },
    done: ({ lines, apps, found }) =>
      `${showCount(lines)} lines read: ${apps} known apps, ${found.length} of them new.`,
    changes: [['discovery'], ['audit']],
    onDone: () => setFile(null),
  });
  return (
    <Container
      header={
        <Header
          variant="h2"
          description="The file is read once and not kept: who used which app, when and how much stays."
        >
          Read a log
        </Header>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={read.error} />
        <FormField label="Format">
          <Select
            placeholder="Choose a format"
            options={options}
            selectedOption={options.find(({ value }) => value === format) ?? null}
            onChange={({ detail }) => setFormat(detail.selectedOption.value ?? '')}
          />
        </FormField>
        <FormField label="File" description="Plain or gzip.">
          <FileUpload
            value={file ? [file] : []}
            i18nStrings={UPLOAD_TEXTS}
            showFileSize
            onChange={({ detail }) => setFile(detail.value[0] ?? null)}
          />
        </FormField>
        <Button
          variant="primary"
          disabled={file === null || format === ''}
          loading={read.isPending}
          onClick={() => read.mutate(undefined)}
        >
          Read it
        </Button>
      </SpaceBetween>
    </Container>
  );
}

const badText = ({ bad, badLines }: FileRead): string =>
  bad === 0
    ? '0'
    : `${showCount(bad)}: ${badLines
        .slice(0, 3)
        .map(({ line, why }) => `line ${line} ${why}`)
        .join('; ')}`;

/** Logs, mailboxes and expense reports that were read, with what could not be read of them. */
export function FilesPanel() {
  const files = useQuery(filesQuery);
  const mayRead = useCan()('discovery.write');
  return (
    <SpaceBetween size="m">
      {mayRead ? <ReadForm /> : null}
      <ProblemAlert error={files.error} />
      <Table<FileRead>
        variant="container"
        wrapLines
        loading={files.isPending}
        loadingText="Loading files"
        items={files.data?.items ?? []}
        trackBy="sha256"
        ariaLabels={{ tableLabel: 'Files that were read' }}
        header={<Header counter={`(${files.data?.items.length ?? 0})`}>Files that were read</Header>}
        columnDefinitions={[
          { id: 'name', header: 'File', isRowHeader: true, cell: (row) => row.name },
          { id: 'format', header: 'Format', cell: (row) => row.format },
          { id: 'lines', header: 'Lines', cell: (row) => showCount(row.lines) },
          { id: 'bad', header: 'Could not be read', cell: badText },
          { id: 'apps', header: 'Known apps', cell: (row) => row.apps },
          {
            id: 'unknown',
            header: 'Busiest unknown domains',
            cell: (row) =>
              row.unknown
                .slice(0, 5)
                .map(({ domain }) => domain)
                .join(', ') || '—',
          },
          { id: 'at', header: 'Read', cell: (row) => `${showTime(row.readAt)} by ${row.readBy}` },
        ]}
        empty={<Box color="text-body-secondary">No file was read yet.</Box>}
      />
    </SpaceBetween>
  );
}
