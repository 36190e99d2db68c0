import { useSyncExternalStore } from 'react';

/** Where Cloudscape's own layout changes to its narrow form. */
const narrow = window.matchMedia('(max-width: 688px)');

function subscribe(listener: () => void): () => void {
  narrow.addEventListener('change', listener);
  return () => narrow.removeEventListener('change', listener);
}

/** As it is at this moment: what happens while the window changes its size comes before the next drawing. */
export function isNarrowNow(): boolean {
  return narrow.matches;
}

export function useIsNarrow(): boolean {
  return useSyncExternalStore(subscribe, isNarrowNow);
}
