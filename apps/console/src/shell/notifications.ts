import { useSyncExternalStore } from 'react';

export interface Notification {
  readonly id: string;
  readonly type: 'success' | 'error' | 'info' | 'warning';
  readonly text: string;
  readonly detail?: string;
}

const SHOWN_MAX = 4;
const SUCCESS_MS = 8_000;

let shown: readonly Notification[] = [];
let made = 0;
const listeners = new Set<() => void>();

function show(next: readonly Notification[]): void {
  shown = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function dismiss(id: string): void {
  show(shown.filter((one) => one.id !== id));
}

function notify(notification: Omit<Notification, 'id'>): void {
  made += 1;
  const id = `notification-${made}`;
  show([{ ...notification, id }, ...shown].slice(0, SHOWN_MAX));
  if (notification.type === 'success') setTimeout(() => dismiss(id), SUCCESS_MS);
}

/** Tells the person something in the flashbar, wherever they are in the console. */
export function useNotify(): typeof notify {
  return notify;
}

export function useNotifications(): readonly Notification[] {
  return useSyncExternalStore(subscribe, () => shown);
}
