import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { AlertDetail, IncidentCase } from '../api/wire.ts';
import { useCan } from '../session/session-query.ts';
import { useGo } from '../shell/follow.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { casesAboutQuery } from './incident-queries.ts';

const SEVERITY = { informational: 'low', low: 'low', medium: 'medium', high: 'high', critical: 'critical' } as const;

/** The cases that an alert belongs to, and the way to open one. */
export function AlertCases({ alert }: { readonly alert: AlertDetail }) {
  const can = useCan();
  const go = useGo();
  const cases = useQuery({ ...casesAboutQuery(`alert:${alert.id}`), enabled: can('case.read') });
  const open = useCommand<void, IncidentCase>({
    run: async () => {
      const { entity } = alert;
      const isKnown = entity.type === 'integration' || entity.type === 'person';
      const body = {
        title: `${alert.title}: ${entity.name}`.slice(0, 300),
        severity: SEVERITY[alert.level],
        origin: 'alert' as const,
        occurredAt: alert.firstAt,
        detectedAt: alert.createdAt,
        links: [
          { kind: 'alert' as const, ref: alert.id, name: alert.title },
          ...(isKnown ? [{ kind: entity.type as 'integration' | 'person', ref: entity.id, name: entity.name }] : []),
        ],
      };
      return taken(await api.POST('/api/v1/cases', { body }));
    },
    changes: [['cases']],
    onDone: ({ id }) => go(`/cases/${id}`),
  });
  if (!can('case.read')) return null;
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            can('case.write') ? (
              <Button loading={open.isPending} onClick={() => open.mutate()}>
                Open a case
              </Button>
            ) : null
          }
        >
          Cases
        </Header>
      }
    >
      <SpaceBetween size="xs">
        <ProblemAlert error={open.error} />
        {(cases.data ?? []).map((one) => (
          <RouteLink
            key={one.id}
            href={`/cases/${one.id}`}
          >{`Case ${one.number}: ${one.title} (${one.status})`}</RouteLink>
        ))}
        {cases.data?.length === 0 ? 'It belongs to no case.' : null}
      </SpaceBetween>
    </Container>
  );
}
