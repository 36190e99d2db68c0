import { Worker } from 'node:worker_threads';
import { type CompiledDescription, DescriptionInvalid } from '@cordon/openapi';

const THREAD = new URL('./description-thread.ts', import.meta.url);
const COMPILE_MS_MAX = 120_000;
const HEAP_MIB_MAX = 2_048;
const WAITING_MAX = 8;

type Outcome = { readonly compiled: CompiledDescription } | { readonly refused: string };

/**
 * Compiles descriptions beside the event loop, one at a time: a large one takes many seconds, in which control would
 * answer nobody and hand no revocation to any gateway.
 */
export function createDescriptionCompiler(
  msMax: number = COMPILE_MS_MAX,
): (source: Uint8Array) => Promise<CompiledDescription> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async (source) => {
    if (waiting >= WAITING_MAX) throw new DescriptionInvalid('Too many descriptions are being read; try again later.');
    waiting += 1;
    const turn = last.then(() => compileInThread(source, msMax));
    last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      waiting -= 1;
    }
  };
}

async function compileInThread(source: Uint8Array, msMax: number): Promise<CompiledDescription> {
  const done = Promise.withResolvers<Outcome>();
  const resourceLimits = { maxOldGenerationSizeMb: HEAP_MIB_MAX };
  const thread = new Worker(THREAD, { workerData: source, env: {}, resourceLimits });
  thread.once('message', (outcome: Outcome) => done.resolve(outcome)); // our own thread writes it
  thread.once('error', () => done.resolve({ refused: 'The description is too large to be read.' }));
  thread.once('exit', () => done.resolve({ refused: 'The description could not be read.' }));
  const timer = setTimeout(
    () => done.resolve({ refused: `The description could not be read in ${msMax / 1_000} s.` }),
    msMax,
  );
  try {
    const outcome = await done.promise;
    if ('refused' in outcome) throw new DescriptionInvalid(outcome.refused);
    // Between threads a Buffer becomes a plain array of bytes.
    return { ...outcome.compiled, blob: Buffer.from(outcome.compiled.blob) };
  } finally {
    clearTimeout(timer);
    await thread.terminate();
  }
}
