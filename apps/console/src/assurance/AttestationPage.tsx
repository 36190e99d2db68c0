import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import {
  type Attestation,
  type AttestationKind,
  attestationKindsQuery,
  attestationQuery,
} from './assurance-queries.ts';
import { type DraftField, draftOf, type FactsDraft, factsOf } from './facts-draft.ts';

const FIELDS: readonly (readonly [field: DraftField, label: string, rows: number])[] = [
  ['scope', 'Scope', 2],
  ['periodStart', 'Period from (YYYY-MM-DD)', 1],
  ['periodEnd', 'Period to (YYYY-MM-DD)', 1],
  ['asOf', 'As of (YYYY-MM-DD)', 1],
  ['issuedOn', 'Issued on (YYYY-MM-DD)', 1],
  ['expiresOn', 'Expires on, as stated (YYYY-MM-DD)', 1],
  ['auditor', 'Auditor', 1],
  ['opinion', 'Opinion', 1],
  ['level', 'Criteria or level', 1],
  ['certificate', 'Certificate number', 1],
  ['exceptions', 'Exceptions, one a line', 3],
  ['userControls', 'Complementary user-entity controls, one a line', 4],
  ['subservice', 'Subservice organisations, one a line, with (carve-out) or (inclusive)', 2],
];
const OPINIONS = ['unqualified', 'qualified', 'adverse', 'disclaimer'].map((value) => ({ value, label: value }));

export function AttestationPage() {
  const { id } = useParams({ from: '/inside/attestations/$id' });
  const attestation = useQuery(attestationQuery(id));
  const kinds = useQuery(attestationKindsQuery);
  return (
    <QueryState query={attestation}>
      {(data) => (
        // Read anew as another kind, or decided: the form begins again from what is known now.
        <OneAttestation key={`${data.kind} ${data.decidedAt ?? 0}`} attestation={data} kinds={kinds.data ?? []} />
      )}
    </QueryState>
  );
}

interface Props {
  readonly attestation: Attestation;
  readonly kinds: readonly AttestationKind[];
}

function OneAttestation({ attestation, kinds }: Props) {
  const can = useCan();
  const [draft, setDraft] = useState(() => draftOf(attestation));
  const [isRejecting, setRejecting] = useState(false);
  const kind = kinds.find(({ id }) => id === attestation.kind);
  const params = { path: { id: attestation.id } };
  const changes = [['attestations'], ['vendors']];
  const confirm = useCommand({
    run: async () =>
      taken(
        await api.PUT('/api/v1/attestations/{id}/decision', {
          params,
          body: { kind: attestation.kind, facts: factsOf(draft), note: '' },
        }),
      ),
    done: 'Confirmed. It counts from now on.',
    changes,
  });
  const isWriter = can('vendor.write');
  return (
    <Page
      title={kind?.title ?? 'Attestation'}
      description={attestation.title}
      parents={[
        { text: 'Vendors', href: '/vendors' },
        { text: 'Vendor', href: `/vendors/${attestation.vendorId}` },
      ]}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          {attestation.fileId === null ? null : (
            <Button href={`/api/v1/vendors/${attestation.vendorId}/files/${attestation.fileId}/content`}>
              Download
            </Button>
          )}
          {isWriter ? <Button onClick={() => setRejecting(true)}>Reject</Button> : null}
          {isWriter ? (
            <Button variant="primary" loading={confirm.isPending} onClick={() => confirm.mutate(undefined)}>
              Confirm
            </Button>
          ) : null}
        </SpaceBetween>
      }
    >
      <SpaceBetween size="l">
        <ProblemAlert error={confirm.error} />
        {attestation.reading.remarks.map((remark) => (
          <Alert key={remark} type="warning">
            {remark}
          </Alert>
        ))}
        <KeyValuePairs
          columns={4}
          items={[
            { label: 'State', value: attestation.standing.replaceAll('_', ' ') },
            { label: 'Counts', value: `${attestation.validFrom ?? '?'} to ${attestation.validUntil ?? '?'}` },
            {
              label: 'Decided',
              value:
                attestation.decidedAt === null
                  ? 'not yet'
                  : `${attestation.decidedBy ?? ''}, ${showDay(attestation.decidedAt)}`,
            },
            { label: 'Note', value: attestation.note || '-' },
          ]}
        />
        <KindPicker attestation={attestation} kinds={kinds} />
        <Container
          header={
            <Header
              variant="h2"
              description="Proposals, each with the passage that it was read from. Correct what is wrong, then confirm."
            >
              What it says
            </Header>
          }
        >
          <FactFields
            attestation={attestation}
            needs={kind?.needs ?? []}
            draft={draft}
            isOpen={isWriter}
            onChange={setDraft}
          />
        </Container>
      </SpaceBetween>
      {isRejecting ? <RejectDialog attestation={attestation} onClose={() => setRejecting(false)} /> : null}
    </Page>
  );
}

function FactFields({
  attestation,
  needs,
  draft,
  isOpen,
  onChange,
}: {
  readonly attestation: Attestation;
  readonly needs: readonly string[];
  readonly draft: FactsDraft;
  readonly isOpen: boolean;
  readonly onChange: (draft: FactsDraft) => void;
}) {
  const input = (field: DraftField, label: string, rows: number): ReactNode => {
    const change = (value: string): void => onChange({ ...draft, [field]: value });
    if (field === 'opinion') {
      return (
        <Select
          disabled={!isOpen}
          placeholder="None stated"
          options={OPINIONS}
          selectedOption={OPINIONS.find(({ value }) => value === draft.opinion) ?? null}
          onChange={({ detail }) => change(detail.selectedOption.value ?? '')}
        />
      );
    }
    if (rows > 1) {
      return (
        <Textarea value={draft[field]} rows={rows} readOnly={!isOpen} onChange={({ detail }) => change(detail.value)} />
      );
    }
    return <Input value={draft[field]} readOnly={!isOpen} onChange={({ detail }) => change(detail.value)} />;
  };
  return (
    <SpaceBetween size="m">
      {FIELDS.map(([field, label, rows]) => {
        const passages = attestation.reading.proposals.find(({ fact }) => fact === field)?.passages ?? [];
        return (
          <SpaceBetween key={field} size="xxs">
            <FormField label={needs.includes(field) ? `${label} - needed` : label} stretch>
              {input(field, label, rows)}
            </FormField>
            {passages.slice(0, 4).map(({ start, page, text }) => (
              <Box key={start} color="text-body-secondary" fontSize="body-s">
                “{text}” (page {page})
              </Box>
            ))}
          </SpaceBetween>
        );
      })}
    </SpaceBetween>
  );
}

function KindPicker({ attestation, kinds }: Props) {
  const can = useCan();
  const options = kinds.map(({ id, title, standard }) => ({ value: id, label: title, description: standard }));
  const read = useCommand({
    run: async (kind: string) =>
      taken(
        await api.PUT('/api/v1/attestations/{id}/kind', { params: { path: { id: attestation.id } }, body: { kind } }),
      ),
    done: 'Read anew.',
    changes: [['attestations'], ['vendors']],
  });
  const kind = kinds.find(({ id }) => id === attestation.kind);
  return (
    <SpaceBetween size="xs">
      <ProblemAlert error={read.error} />
      <FormField label="What it is" description={kind?.why}>
        <Select
          disabled={!can('vendor.write') || attestation.state !== 'proposed'}
          options={options}
          placeholder="Not recognised: choose"
          selectedOption={options.find(({ value }) => value === attestation.kind) ?? null}
          onChange={({ detail }) => read.mutate(detail.selectedOption.value ?? '')}
        />
      </FormField>
    </SpaceBetween>
  );
}

function RejectDialog({ attestation, onClose }: { readonly attestation: Attestation; readonly onClose: () => void }) {
  const [reason, setReason] = useState('');
  const reject = useCommand({
    run: async () =>
      taken(
        await api.POST('/api/v1/attestations/{id}/reject', {
          params: { path: { id: attestation.id } },
          body: { reason },
        }),
      ),
    done: 'Rejected. It counts for nothing.',
    changes: [['attestations'], ['vendors']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Reject it?"
      button="Reject"
      isReady={reason.trim().length >= 3}
      command={{ isPending: reject.isPending, error: reject.error, mutate: () => reject.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Why">
        <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
