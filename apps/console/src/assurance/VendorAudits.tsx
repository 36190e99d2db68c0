import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { UploadButton, type UploadedFile } from '../vendors/UploadButton.tsx';
import type { VendorDetail } from '../vendors/vendor-queries.ts';
import { type Audit, type AuditRun, checklistsQuery, vendorAuditsQuery } from './assurance-queries.ts';

type Outcome = AuditRun['results'][string]['outcome'];
const OUTCOMES: readonly { readonly id: Outcome; readonly text: string }[] = [
  { id: 'pass', text: 'Yes' },
  { id: 'fail', text: 'No' },
  { id: 'not_applicable', text: 'Not applicable' },
];

/** Our own audits of a vendor: planned from a checklist, done item by item, coming again by themselves. */
export function VendorAudits({ vendor }: { readonly vendor: VendorDetail }) {
  const can = useCan();
  const audits = useQuery(vendorAuditsQuery(vendor.id));
  const [isPlanning, setPlanning] = useState(false);
  return (
    <SpaceBetween size="m">
      <Header
        variant="h2"
        actions={can('vendor.write') ? <Button onClick={() => setPlanning(true)}>Plan an audit</Button> : null}
      >
        Our own audits
      </Header>
      <ProblemAlert error={audits.error} />
      {audits.data?.length === 0 ? <Box color="text-body-secondary">None is planned.</Box> : null}
      {(audits.data ?? []).map((audit) => (
        <OneAudit key={audit.id} audit={audit} />
      ))}
      {isPlanning ? <PlanDialog vendor={vendor} onClose={() => setPlanning(false)} /> : null}
    </SpaceBetween>
  );
}

function PlanDialog({ vendor, onClose }: { readonly vendor: VendorDetail; readonly onClose: () => void }) {
  const checklists = useQuery(checklistsQuery);
  const options = (checklists.data ?? []).map(({ id, title, why }) => ({ value: id, label: title, description: why }));
  const [checklist, setChecklist] = useState('');
  const [owner, setOwner] = useState(vendor.profile.owner);
  const [firstDueOn, setFirst] = useState('');
  const plan = useCommand({
    run: async () =>
      taken(
        await api.POST('/api/v1/vendors/{id}/audits', {
          params: { path: { id: vendor.id } },
          body: { checklist, title: '', owner, firstDueOn },
        }),
      ),
    done: 'The audit is planned.',
    changes: [['vendors']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Plan an audit"
      button="Plan it"
      isReady={checklist !== '' && owner.trim() !== '' && /^\d{4}-\d{2}-\d{2}$/.test(firstDueOn)}
      command={{ isPending: plan.isPending, error: plan.error, mutate: () => plan.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Checklist">
        <Select
          options={options}
          selectedOption={options.find(({ value }) => value === checklist) ?? null}
          onChange={({ detail }) => setChecklist(detail.selectedOption.value ?? '')}
        />
      </FormField>
      <FormField label="Owner" description="A name or an e-mail address; who is told when it is due.">
        <Input value={owner} onChange={({ detail }) => setOwner(detail.value)} />
      </FormField>
      <FormField label="First due on (YYYY-MM-DD)">
        <Input value={firstDueOn} onChange={({ detail }) => setFirst(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

function OneAudit({ audit }: { readonly audit: Audit }) {
  const can = useCan();
  const [isEnding, setEnding] = useState(false);
  const open = audit.endedAt === null ? audit.runs.find(({ doneAt }) => doneAt === null) : undefined;
  const done = audit.runs.filter(({ doneAt }) => doneAt !== null);
  const complete = useCommand({
    run: async (id: string) => taken(await api.POST('/api/v1/audit-runs/{id}/complete', { params: { path: { id } } })),
    done: ({ findings, nextDueOn }) =>
      `Done: ${findings.length} findings.${nextDueOn === null ? '' : ` It comes again on ${nextDueOn}.`}`,
    changes: [['vendors']],
  });
  const isReady = open !== undefined && audit.checklist.items.every(({ id }) => open.results[id] !== undefined);
  return (
    <Container
      header={
        <Header
          variant="h3"
          description={`${audit.owner}${audit.everyMonths === null ? '' : `, every ${audit.everyMonths} months`}`}
          actions={
            can('vendor.write') && audit.endedAt === null ? (
              <SpaceBetween direction="horizontal" size="xs">
                <Button ariaLabel={`End ${audit.title}`} onClick={() => setEnding(true)}>
                  End
                </Button>
                {open ? (
                  <Button disabled={!isReady} loading={complete.isPending} onClick={() => complete.mutate(open.id)}>
                    Complete
                  </Button>
                ) : null}
              </SpaceBetween>
            ) : null
          }
        >
          {audit.title}
        </Header>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={complete.error} />
        {audit.endedAt !== null ? (
          <StatusIndicator type="stopped">{`Ended on ${showDay(audit.endedAt)}: it does not come again.`}</StatusIndicator>
        ) : null}
        {open ? <Box fontWeight="bold">Due on {open.dueOn}</Box> : null}
        {open === undefined && audit.endedAt === null ? <Box>No occurrence is open.</Box> : null}
        {open ? audit.checklist.items.map((item) => <OneItem key={item.id} run={open} item={item} />) : null}
        {done.map((run) => (
          <StatusIndicator key={run.id} type="success">
            {`${run.dueOn}: done by ${run.doneBy ?? ''}, ${showDay(run.doneAt ?? 0)}`}
          </StatusIndicator>
        ))}
      </SpaceBetween>
      {isEnding ? <EndDialog audit={audit} onClose={() => setEnding(false)} /> : null}
    </Container>
  );
}

function EndDialog({ audit, onClose }: { readonly audit: Audit; readonly onClose: () => void }) {
  const end = useCommand({
    run: async () => taken(await api.POST('/api/v1/audits/{id}/end', { params: { path: { id: audit.id } } })),
    done: `${audit.title} has ended.`,
    changes: [['vendors']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`End ${audit.title}`}
      button="End it"
      isReady
      command={{ isPending: end.isPending, error: end.error, mutate: () => end.mutate(undefined) }}
      onClose={onClose}
    >
      <Box>What was done stays as it is. What is open is no longer asked for, and the audit does not come again.</Box>
    </FormDialog>
  );
}

function OneItem({ run, item }: { readonly run: AuditRun; readonly item: Audit['checklist']['items'][number] }) {
  const can = useCan();
  const result = run.results[item.id];
  const [note, setNote] = useState(result?.note ?? '');
  const params = { path: { id: run.id, itemId: item.id } };
  const changes = [['vendors']];
  const record = useCommand({
    run: async (outcome: Outcome) =>
      taken(await api.PUT('/api/v1/audit-runs/{id}/items/{itemId}', { params, body: { outcome, note } })),
    changes,
  });
  const attach = useCommand({
    run: async (body: UploadedFile) =>
      taken(await api.POST('/api/v1/audit-runs/{id}/items/{itemId}/files', { params, body })),
    done: 'The evidence is kept.',
    changes,
  });
  const isWriter = can('vendor.write');
  return (
    <SpaceBetween size="xs">
      <Box fontWeight="bold">{item.text}</Box>
      <Box color="text-body-secondary">Shown by: {item.evidence}</Box>
      <ProblemAlert error={record.error ?? attach.error} />
      <SpaceBetween direction="horizontal" size="s">
        <SegmentedControl
          label={item.text}
          selectedId={result?.outcome ?? null}
          options={OUTCOMES.map((one) => ({ ...one, disabled: !isWriter }))}
          onChange={({ detail }) => {
            const chosen = OUTCOMES.find(({ id }) => id === detail.selectedId);
            if (chosen) record.mutate(chosen.id);
          }}
        />
        <Input
          ariaLabel={`Note: ${item.text}`}
          placeholder="Note"
          value={note}
          readOnly={!isWriter}
          onChange={({ detail }) => setNote(detail.value)}
          onBlur={() => {
            if (result && note !== result.note) record.mutate(result.outcome);
          }}
        />
        {result && isWriter ? <UploadButton label="Attach evidence" onFile={(file) => attach.mutate(file)} /> : null}
      </SpaceBetween>
      {result && result.files.length > 0 ? <Box>{result.files.map(({ name }) => name).join(', ')}</Box> : null}
    </SpaceBetween>
  );
}
