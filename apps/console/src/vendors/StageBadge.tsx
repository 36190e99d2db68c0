import Badge from '@cloudscape-design/components/badge';
import type { Vendor } from './vendor-queries.ts';

const COLORS = {
  intake: 'grey',
  assessment: 'blue',
  approval: 'blue',
  monitoring: 'green',
  offboarding: 'red',
  ended: 'grey',
} as const;

export function StageBadge({ stage }: { readonly stage: Vendor['stage'] }) {
  return <Badge color={COLORS[stage]}>{stage}</Badge>;
}
