import Box from '@cloudscape-design/components/box';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { AccessChange, Entitlement } from '../api/wire.ts';

const KIND: Readonly<Record<Entitlement['kind'], string>> = {
  role: 'role',
  app: 'sign-on to',
  target: 'account in',
};

export const showEntitlement = ({ kind, name }: Entitlement): string => `${KIND[kind]} ${name}`;

/** What a change of groups gives to and takes from each person. */
export function AccessChanges({ changes }: { readonly changes: readonly AccessChange[] }) {
  if (changes.length === 0) {
    return <Box color="text-body-secondary">Nobody gains or loses access by this.</Box>;
  }
  return (
    <SpaceBetween size="xs">
      {changes.map(({ person, gained, lost }) => (
        <div key={person.id}>
          <Box variant="strong">{person.name}</Box>
          <SpaceBetween size="xxxs">
            {gained.map((one) => (
              <StatusIndicator key={`${one.kind}/${one.id}`} type="success">
                gains {showEntitlement(one)}
              </StatusIndicator>
            ))}
            {lost.map((one) => (
              <StatusIndicator key={`${one.kind}/${one.id}`} type="warning">
                loses {showEntitlement(one)}
              </StatusIndicator>
            ))}
          </SpaceBetween>
        </div>
      ))}
    </SpaceBetween>
  );
}
