import Badge from '@cloudscape-design/components/badge';
import type { Label } from './data-queries.ts';

const COLORS = { public: 'grey', internal: 'blue', confidential: 'severity-low', restricted: 'red' } as const;

export function LabelBadge({ label, isPinned = false }: { readonly label: Label; readonly isPinned?: boolean }) {
  return <Badge color={COLORS[label]}>{isPinned ? `${label}, pinned` : label}</Badge>;
}

/** Why a label is what it is; each reason on its line. */
export function Reasons({
  reasons,
}: {
  readonly reasons: readonly { readonly because: string; readonly text: string }[];
}) {
  if (reasons.length === 0) return <span>not judged yet</span>;
  return (
    <>
      {reasons.map(({ because, text }) => (
        <div key={`${because} ${text}`}>{because === 'field' ? `field ${text}` : text}</div>
      ))}
    </>
  );
}
