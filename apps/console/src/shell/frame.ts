import { createContext, useContext, useEffect } from 'react';

export interface Crumb {
  readonly text: string;
  readonly href: string;
}

/** What a page tells the frame around it. */
export interface Frame {
  /** Where a page's panel is drawn; null while the panel is closed. */
  readonly panelSlot: HTMLElement | null;
  readonly setCrumbs: (crumbs: readonly Crumb[]) => void;
  readonly openPanel: (panel: { readonly header: string; readonly onClose: () => void }) => void;
  readonly closePanel: () => void;
}

export const FrameContext = createContext<Frame | null>(null);

export function useFrame(): Frame {
  const frame = useContext(FrameContext);
  if (!frame) throw new TypeError('This page is outside the shell.');
  return frame;
}

/** Breadcrumbs and the browser's title, while the page is shown. */
export function useCrumbs(crumbs: readonly Crumb[]): void {
  const { setCrumbs } = useFrame();
  const key = JSON.stringify(crumbs);
  useEffect(() => {
    const parsed = JSON.parse(key) as Crumb[]; // made from crumbs just above; a string compares by value
    setCrumbs(parsed);
    document.title = `${parsed.at(-1)?.text ?? 'Console'} · Cordon`;
  }, [key, setCrumbs]);
}
