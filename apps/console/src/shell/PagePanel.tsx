import { type ReactNode, useEffect, useRef } from 'react';
import { createPortal } from 'react-dom';
import { useFrame } from './frame.ts';

/** Details beside the page, in the shell's split panel, as long as the page renders this. */
export function PagePanel({
  header,
  onClose,
  children,
}: {
  readonly header: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}) {
  const { panelSlot, openPanel, closePanel } = useFrame();
  const close = useRef(onClose);
  useEffect(() => {
    close.current = onClose;
  });
  useEffect(() => openPanel({ header, onClose: () => close.current() }), [header, openPanel]);
  useEffect(() => closePanel, [closePanel]);
  return panelSlot ? createPortal(children, panelSlot) : null;
}
