import { isProblem } from '@cordon/client';
import { useEffect, useState } from 'react';
import { ApiProblem } from '../api/problem.ts';
import type { StoredEvent } from '../api/wire.ts';

const SHOWN_MAX = 500;
const RETRY_MS = 2_000;

export interface Tail {
  /** Newest first. */
  readonly events: readonly StoredEvent[];
  readonly isConnected: boolean;
  readonly error: ApiProblem | null;
}

const NOTHING: Tail = { events: [], isConnected: false, error: null };

/** Splits a stream of NDJSON into events; hands over what a chunk completed in one go. */
async function readEvents(body: ReadableStream<Uint8Array>, onEvents: (events: StoredEvent[]) => void): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let pending = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    pending += decoder.decode(value, { stream: true });
    const lines = pending.split('\n');
    pending = lines.pop() ?? '';
    // The server's own serialisation of its event schema.
    const events = lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as StoredEvent);
    if (events.length > 0) onEvents(events);
  }
}

/** Events as the lake takes them, while `isOn`; connects again when the stream ends. */
export function useTail(query: string, isOn: boolean): Tail {
  const [tail, setTail] = useState<Tail>(NOTHING);
  useEffect(() => {
    if (!isOn) return undefined;
    setTail(NOTHING);
    const ending = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let since = Date.now();
    const run = async (): Promise<void> => {
      const parameters = new URLSearchParams({ since: String(since), ...(query === '' ? {} : { query }) });
      const response = await fetch(`/api/v1/events/tail?${parameters.toString()}`, { signal: ending.signal });
      if (!response.ok || !response.body) {
        const problem: unknown = await response.json();
        if (isProblem(problem)) throw new ApiProblem(problem);
        throw new TypeError(`The server answered ${response.status}.`);
      }
      setTail((now) => ({ ...now, isConnected: true, error: null }));
      await readEvents(response.body, (events) => {
        since = Math.max(since, ...events.map(({ ingestedAt }) => ingestedAt + 1));
        setTail((now) => {
          const known = new Set(now.events.map(({ id }) => id));
          const fresh = events.filter(({ id }) => !known.has(id)).reverse();
          return { ...now, events: [...fresh, ...now.events].slice(0, SHOWN_MAX) };
        });
      });
    };
    const keepRunning = async (): Promise<void> => {
      let refusal: ApiProblem | null = null;
      try {
        await run();
      } catch (error) {
        refusal = error instanceof ApiProblem ? error : null;
      }
      if (ending.signal.aborted) return;
      setTail((now) => ({ ...now, isConnected: false, error: refusal }));
      // A search that is wrong stays wrong; a server that went away comes back.
      if (!refusal) timer = setTimeout(() => void keepRunning(), RETRY_MS);
    };
    void keepRunning();
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [query, isOn]);
  return tail;
}
