import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import type { UpstreamCertificate } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { certificatesQuery } from './certificate-query.ts';

type Problem = UpstreamCertificate['problems'][number];

const TEXTS: Readonly<Record<Problem, readonly ['error' | 'warning', string]>> = {
  refused: ['error', 'Refused by the gateway'],
  expired: ['error', 'Ended'],
  'expires-within-week': ['error', 'Ends within a week'],
  'expires-within-month': ['warning', 'Ends within a month'],
  'weak-key': ['warning', 'Weak key'],
  'weak-signature': ['warning', 'Weak signature'],
  'no-forward-secrecy': ['warning', 'No forward secrecy'],
};

function Problems({ row }: { readonly row: UpstreamCertificate }) {
  if (row.problems.length === 0) return <StatusIndicator type="success">Good</StatusIndicator>;
  return (
    <>
      {row.problems.map((problem) => (
        <div key={problem}>
          <StatusIndicator type={TEXTS[problem][0]}>{TEXTS[problem][1]}</StatusIndicator>
        </div>
      ))}
    </>
  );
}

const keyOf = ({ seen }: UpstreamCertificate): string => {
  const leaf = seen?.chain[0];
  if (!leaf) return '-';
  return `${leaf.keyType}${leaf.keyBits === null ? '' : ` ${leaf.keyBits}`}, ${leaf.signature ?? 'unknown signature'}`;
};

/** Says on every page of the app that a certificate needs somebody. */
export function CertificateAlert({ appId }: { readonly appId: string }) {
  const certificates = useQuery(certificatesQuery(appId));
  const bad = (certificates.data ?? []).filter(({ problems }) => problems.length > 0);
  if (bad.length === 0) return null;
  const isError = bad.some(({ problems }) => problems.some((problem) => TEXTS[problem][0] === 'error'));
  return (
    <Alert type={isError ? 'error' : 'warning'} header="A certificate of this app needs attention">
      {bad.map(({ host, problems }) => (
        <div key={host}>
          {host}: {problems.map((problem) => TEXTS[problem][1].toLowerCase()).join(', ')}
        </div>
      ))}
    </Alert>
  );
}

/** What the gateways saw of the app's hosts when they connected. */
export function CertificatePanel({ appId }: { readonly appId: string }) {
  const certificates = useQuery(certificatesQuery(appId));
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={certificates.error} />
      <Table<UpstreamCertificate>
        variant="container"
        wrapLines
        loading={certificates.isPending}
        loadingText="Loading certificates"
        items={certificates.data ?? []}
        trackBy="host"
        ariaLabels={{ tableLabel: 'Certificates' }}
        header={
          <Header
            variant="h2"
            description="As the gateways saw them when they connected. Each problem is told once for a host and day."
          >
            Certificates
          </Header>
        }
        columnDefinitions={[
          { id: 'host', header: 'Host', isRowHeader: true, minWidth: 160, cell: ({ host }) => host },
          { id: 'problems', header: 'State', minWidth: 200, cell: (row) => <Problems row={row} /> },
          { id: 'ends', header: 'Ends', minWidth: 120, cell: ({ seen }) => showDay(seen?.chain[0]?.notAfter) },
          { id: 'issuer', header: 'Issuer', minWidth: 160, cell: ({ seen }) => seen?.chain[0]?.issuer ?? '-' },
          { id: 'key', header: 'Key and signature', minWidth: 180, cell: keyOf },
          { id: 'tls', header: 'TLS', minWidth: 100, cell: ({ seen }) => seen?.protocol ?? '-' },
          { id: 'refused', header: 'Why refused', minWidth: 140, cell: ({ refused }) => refused ?? '-' },
          {
            id: 'at',
            header: 'Seen',
            minWidth: 100,
            cell: ({ seenAt, refusedAt }) => <Ago at={refusedAt ?? seenAt} />,
          },
        ]}
        empty={<Box color="text-body-secondary">No gateway has connected to this app by TLS yet.</Box>}
      />
    </SpaceBetween>
  );
}

function showDay(at: number | undefined): string {
  return at === undefined ? '-' : new Date(at).toISOString().slice(0, 10);
}
