/** Asks the person for a fresh factor; resolves with whether it was given. */
export type AskForFactor = () => Promise<boolean>;

let ask: AskForFactor | null = null;
let asking: Promise<boolean> | null = null;

/** The dialog registers itself here while it is mounted. */
export function registerStepUp(handler: AskForFactor): () => void {
  ask = handler;
  return () => {
    if (ask === handler) ask = null;
  };
}

/** Several requests that need the same confirmation share one dialog. */
export async function confirmStrongly(): Promise<boolean> {
  if (!ask) return false;
  asking ??= ask().finally(() => {
    asking = null;
  });
  return asking;
}
