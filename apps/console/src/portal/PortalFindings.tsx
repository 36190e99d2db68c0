import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import Container from '@cloudscape-design/components/container';
import FileInput from '@cloudscape-design/components/file-input';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Textarea from '@cloudscape-design/components/textarea';
import type { paths } from '@cordon/client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { api } from '../api/api-client.ts';
import { asProblem, taken } from '../api/problem.ts';
import { showDay } from '../display/time.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { FINDING_TEXTS, type FindingTexts } from './finding-texts.ts';
import './portal.css';
import { base64Of } from './portal-api.ts';
import type { PortalLanguage } from './portal-texts.ts';

type Findings = paths['/api/v1/portal/findings']['get']['responses'][200]['content']['application/json'];
type OpenFinding = Findings['findings'][number];

/** A vendor's own open findings, for somebody without an account. */
export function PortalFindings({
  session,
  language,
  picker,
  onEnded,
}: {
  readonly session: string;
  readonly language: PortalLanguage;
  readonly picker: ReactNode;
  readonly onEnded: () => void;
}) {
  const texts = FINDING_TEXTS[language];
  const headers = { 'x-portal-session': session };
  const found = useQuery({
    queryKey: ['portal', 'findings', session],
    queryFn: async () => taken(await api.GET('/api/v1/portal/findings', { headers })),
    retry: false,
  });
  const isOver = found.error !== null && asProblem(found.error).status === 401;
  useEffect(() => {
    if (isOver) onEnded();
  }, [isOver, onEnded]);
  return (
    <main className="portal">
      <SpaceBetween size="l">
        <Header variant="h1" description={found.data?.email}>
          {found.data ? `${texts.title}: ${found.data.vendor}` : texts.title}
        </Header>
        {picker}
        <ProblemAlert error={found.error} />
        {found.isPending ? <StatusIndicator type="loading" /> : null}
        {found.data?.findings.length === 0 ? <Box>{texts.none}</Box> : null}
        {(found.data?.findings ?? []).map((finding) => (
          <OneFinding key={finding.id} finding={finding} session={session} texts={texts} />
        ))}
      </SpaceBetween>
    </main>
  );
}

function OneFinding({
  finding,
  session,
  texts,
}: {
  readonly finding: OpenFinding;
  readonly session: string;
  readonly texts: FindingTexts;
}) {
  const client = useQueryClient();
  const [text, setText] = useState('');
  const [isFixed, setFixed] = useState(false);
  const options = { headers: { 'x-portal-session': session }, params: { path: { id: finding.id } } };
  const reload = async (): Promise<void> => client.invalidateQueries({ queryKey: ['portal', 'findings', session] });
  const reply = useMutation({
    mutationFn: async () =>
      taken(await api.POST('/api/v1/portal/findings/{id}/replies', { ...options, body: { text, isFixed } })),
    onSuccess: async () => {
      setText('');
      setFixed(false);
      await reload();
    },
  });
  const attach = useMutation({
    mutationFn: async (file: File) => {
      const body = { name: file.name, content: await base64Of(file) };
      return taken(await api.POST('/api/v1/portal/findings/{id}/files', { ...options, body }));
    },
    onSuccess: reload,
  });
  const name = `${finding.reference} ${finding.title}`.trim();
  return (
    <section aria-label={name}>
      <Container header={<Header variant="h2">{name}</Header>}>
        <SpaceBetween size="m">
          <SpaceBetween direction="horizontal" size="s">
            <Badge>{texts.severity[finding.severity]}</Badge>
            <Box>{texts.state[finding.state]}</Box>
            {finding.dueOn === null ? null : (
              <Box>
                {texts.due}: {finding.dueOn}
                {finding.isOverdue ? `, ${texts.overdue}` : ''}
              </Box>
            )}
          </SpaceBetween>
          {finding.description === '' ? null : <div style={{ whiteSpace: 'pre-line' }}>{finding.description}</div>}
          {finding.recommendation === '' ? null : (
            <div style={{ whiteSpace: 'pre-line' }}>
              <b>{texts.recommended}: </b>
              {finding.recommendation}
            </div>
          )}
          {finding.entries.map((entry) => (
            <Box key={entry.id}>
              <b>{entry.author ?? texts.they}</b>, {showDay(entry.at)}: {entry.fileName ?? entry.text}
            </Box>
          ))}
          <ProblemAlert error={reply.error ?? attach.error} />
          <FormField label={texts.reply} stretch>
            <Textarea value={text} rows={2} onChange={({ detail }) => setText(detail.value)} />
          </FormField>
          {finding.state === 'open' ? (
            <Checkbox checked={isFixed} onChange={({ detail }) => setFixed(detail.checked)}>
              {texts.isFixed}
            </Checkbox>
          ) : null}
          <SpaceBetween direction="horizontal" size="s">
            <Button loading={reply.isPending} disabled={text.trim() === ''} onClick={() => reply.mutate()}>
              {texts.send}
            </Button>
            <FileInput
              value={[]}
              ariaLabel={`${texts.attach}: ${name}`}
              onChange={({ detail }) => {
                const [file] = detail.value;
                if (file) attach.mutate(file);
              }}
            >
              {texts.attach}
            </FileInput>
          </SpaceBetween>
        </SpaceBetween>
      </Container>
    </section>
  );
}
