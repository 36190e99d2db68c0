import { showAge, showTime } from './time.ts';
import { useNow } from './use-now.ts';

/** A moment as an age that moves on; the exact time on hover. */
export function Ago({ at, none = '-' }: { readonly at: number | string | null; readonly none?: string }) {
  const now = useNow(5_000);
  if (at === null) return <span>{none}</span>;
  return (
    <time style={{ whiteSpace: 'nowrap' }} dateTime={new Date(at).toISOString()} title={showTime(at)}>
      {showAge(at, now)}
    </time>
  );
}
