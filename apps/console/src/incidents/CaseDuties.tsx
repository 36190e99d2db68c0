import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { CaseDuty } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { useNow } from '../display/use-now.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { FactFields, type Said } from './FactFields.tsx';
import { caseDutiesQuery, caseQuery, dutiesQuery } from './incident-queries.ts';
import { countdownText } from './span-text.ts';

const TICK_MS = 1_000;
type Dialog = { readonly kind: 'facts' } | { readonly kind: 'sent'; readonly duty: CaseDuty } | null;
const orderOf = ({ applies, sent, waived, dueAt }: CaseDuty): number =>
  sent || waived ? Number.MAX_SAFE_INTEGER : applies === null ? Number.MAX_SAFE_INTEGER - 1 : (dueAt ?? 0);

/** Whom the case obliges to tell, until when, and what went out. */
export function CaseDuties({ caseId, isWritable }: { readonly caseId: string; readonly isWritable: boolean }) {
  const query = useQuery(caseDutiesQuery(caseId));
  const now = useNow(TICK_MS);
  const [dialog, setDialog] = useState<Dialog>(null);
  const close = (): void => setDialog(null);
  const items = (query.data?.items ?? []).filter(({ applies }) => applies !== false);
  const due = items.filter(({ applies, sent, waived }) => applies === true && !sent && !waived);
  return (
    <>
      <ProblemAlert error={query.error} />
      <Table<CaseDuty>
        variant="container"
        wrapLines
        loading={query.isPending}
        loadingText="Loading duties"
        items={items.toSorted((a, b) => orderOf(a) - orderOf(b))}
        trackBy={(row) => `${row.duty} ${row.stage}`}
        ariaLabels={{ tableLabel: 'Duties to notify' }}
        header={
          <Header
            variant="h2"
            counter={`(${due.length} to send)`}
            description="Which duties apply follows from what is known. Counsel decides; Cordon counts."
            actions={isWritable ? <Button onClick={() => setDialog({ kind: 'facts' })}>What is known</Button> : null}
          >
            Duties to notify
          </Header>
        }
        columnDefinitions={[
          { id: 'what', header: 'Duty', isRowHeader: true, cell: (row) => <What row={row} /> },
          { id: 'to', header: 'To', cell: (row) => row.recipient },
          { id: 'state', header: 'State', cell: (row) => <State row={row} now={now} /> },
          {
            id: 'act',
            header: 'Action',
            cell: (row) =>
              isWritable && row.applies === true && !row.sent && !row.waived ? (
                <Button
                  variant="inline-link"
                  ariaLabel={`Record ${row.dutyTitle}: ${row.title}`}
                  onClick={() => setDialog({ kind: 'sent', duty: row })}
                >
                  Draft and record
                </Button>
              ) : null,
          },
        ]}
        empty={
          <Box textAlign="center" padding="s" color="text-body-secondary">
            No duty applies, by what is known.
          </Box>
        }
      />
      {dialog?.kind === 'facts' ? <FactsForm caseId={caseId} onClose={close} /> : null}
      {dialog?.kind === 'sent' ? <SentForm caseId={caseId} duty={dialog.duty} onClose={close} /> : null}
    </>
  );
}

function What({ row }: { readonly row: CaseDuty }) {
  return (
    <div>
      {row.dutyTitle}: {row.title}
      <Box variant="small" display="block">
        {row.url === '' ? (
          row.law
        ) : (
          <Link href={row.url} external variant="secondary" fontSize="body-s">
            {row.law}
          </Link>
        )}
        {row.status === 'contract' ? '' : row.checked === null ? ', not checked yet' : `, checked ${row.checked}`}
        {row.isLimit ? '' : ', a target: the law names no number'}
      </Box>
    </div>
  );
}

function State({ row, now }: { readonly row: CaseDuty; readonly now: number }) {
  if (row.sent) return <StatusIndicator type="success">{`Sent by ${row.sent.by}`}</StatusIndicator>;
  if (row.waived) return <StatusIndicator type="stopped">{`Not sent: ${row.waived.reason}`}</StatusIndicator>;
  if (row.applies === null) return <StatusIndicator type="info">{`Open: ${row.open.join(', ')}`}</StatusIndicator>;
  if (row.status === 'pending') return <StatusIndicator type="pending">Not in force yet</StatusIndicator>;
  if (row.dueAt === null)
    return <StatusIndicator type="pending">{`No clock yet: ${row.waitsFor ?? ''}`}</StatusIndicator>;
  const left = row.dueAt - now;
  return <StatusIndicator type={left < 0 ? 'error' : 'warning'}>{countdownText(left)}</StatusIndicator>;
}

function FactsForm({ caseId, onClose }: { readonly caseId: string; readonly onClose: () => void }) {
  const known = useQuery(caseDutiesQuery(caseId)).data;
  const { questions = {}, moments = {} } = useQuery(dutiesQuery).data ?? {};
  const [said, setSaid] = useState<Said>({});
  const [people, setPeople] = useState('');
  const [times, setTimes] = useState<Readonly<Record<string, string>>>({});
  const save = useCommand<void, unknown>({
    run: async () => {
      const given = Object.entries(times).map(([name, text]) => [name, text === '' ? null : Date.parse(text)]);
      const body = {
        facts: { ...said },
        moments: Object.fromEntries(given),
        ...(people === '' ? {} : { people: Number(people) }),
      };
      return taken(await api.PATCH('/api/v1/cases/{id}/facts', { params: { path: { id: caseId } }, body }));
    },
    done: 'The duties are judged anew.',
    changes: [['cases']],
    onDone: onClose,
  });
  const shown = (name: string): string => {
    const at = known?.facts.moments[name];
    return at === undefined ? '' : new Date(at).toISOString();
  };
  const isReady = Object.values(times).every((text) => text === '' || !Number.isNaN(Date.parse(text)));
  return (
    <FormDialog title="What is known" button="Save" isReady={isReady} command={save} onClose={onClose}>
      <FormField label="How many people are concerned">
        <Input
          value={people}
          inputMode="numeric"
          placeholder={known?.facts.people == null ? 'not known' : String(known.facts.people)}
          onChange={({ detail }) => setPeople(detail.value)}
        />
      </FormField>
      {Object.entries(moments).map(([name, text]) => (
        <FormField key={name} label={text} description="Such as 2026-11-23T10:00:00Z">
          <Input
            value={times[name] ?? shown(name)}
            placeholder={name === 'aware' ? 'when it was detected' : 'not yet'}
            onChange={({ detail }) => setTimes({ ...times, [name]: detail.value })}
          />
        </FormField>
      ))}
      <FactFields questions={questions} known={known?.facts.facts ?? {}} said={said} onSay={setSaid} />
    </FormDialog>
  );
}

const proofOf = (one: { readonly id: string; readonly name: string; readonly sha256: string } | undefined) =>
  one === undefined ? null : { value: one.id, label: one.name, description: `SHA-256 ${one.sha256.slice(0, 16)}…` };

function SentForm(props: { readonly caseId: string; readonly duty: CaseDuty; readonly onClose: () => void }) {
  const { caseId, duty, onClose } = props;
  const path = { id: caseId, duty: duty.duty, stage: duty.stage };
  const draft = useQuery({
    queryKey: ['cases', caseId, 'draft', duty.duty, duty.stage],
    enabled: duty.template !== null,
    queryFn: async () => taken(await api.GET('/api/v1/cases/{id}/duties/{duty}/{stage}/draft', { params: { path } })),
  });
  const evidence = useQuery(caseQuery(caseId)).data?.evidence ?? [];
  const [given, setGiven] = useState({ to: duty.recipient, reference: '', note: '', evidenceId: '' });
  const set = (part: Partial<typeof given>): void => setGiven((now) => ({ ...now, ...part }));
  const save = useCommand<void, unknown>({
    run: async () => {
      const { evidenceId, ...rest } = given;
      const body = evidenceId === '' ? rest : { ...rest, evidenceId };
      return taken(await api.POST('/api/v1/cases/{id}/duties/{duty}/{stage}/sent', { params: { path }, body }));
    },
    done: 'It is on record.',
    changes: [['cases']],
    onDone: onClose,
  });
  const waive = useCommand<void, unknown>({
    run: async () =>
      taken(
        await api.POST('/api/v1/cases/{id}/duties/{duty}/{stage}/waive', {
          params: { path },
          body: { reason: given.note },
        }),
      ),
    done: 'It is on record that this is not sent.',
    changes: [['cases']],
    onDone: onClose,
  });
  return (
    <FormDialog title={duty.title} button="It was sent" isReady={given.to !== ''} command={save} onClose={onClose}>
      <Alert type="info">Send it by the recipient&apos;s own form or portal, then keep here that it went out.</Alert>
      {draft.data ? (
        <FormField label="Draft" description={draft.data.subject}>
          <Textarea value={draft.data.text} rows={8} readOnly />
        </FormField>
      ) : null}
      <FormField label="Sent to">
        <Input value={given.to} onChange={({ detail }) => set({ to: detail.value })} />
      </FormField>
      <FormField label="Reference" description="The recipient's number, a ticket, a Message-ID">
        <Input value={given.reference} onChange={({ detail }) => set({ reference: detail.value })} />
      </FormField>
      {evidence.length > 0 ? (
        <FormField label="Proof" description="Evidence of this case, such as the recipient's confirmation">
          <Select
            placeholder="None"
            selectedOption={proofOf(evidence.find(({ id }) => id === given.evidenceId))}
            options={evidence.flatMap((one) => proofOf(one) ?? [])}
            onChange={({ detail }) => set({ evidenceId: detail.selectedOption.value ?? '' })}
          />
        </FormField>
      ) : null}
      <FormField label="Note">
        <Textarea value={given.note} rows={2} onChange={({ detail }) => set({ note: detail.value })} />
      </FormField>
      <SpaceBetween size="xs">
        <ProblemAlert error={waive.error} />
        <Button disabled={given.note.trim().length < 10} loading={waive.isPending} onClick={() => waive.mutate()}>
          Not sent, for the reason in the note
        </Button>
      </SpaceBetween>
    </FormDialog>
  );
}
