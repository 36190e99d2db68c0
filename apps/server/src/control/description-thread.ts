import { parentPort, workerData } from 'node:worker_threads';
import { compileDescription } from '@cordon/openapi';

/** Entry of a thread that compiles one description and ends. What it sends is read by description-compiler.ts. */
try {
  parentPort?.postMessage({ compiled: compileDescription(workerData as Uint8Array) }); // given by the one who starts it
} catch (error) {
  parentPort?.postMessage({ refused: error instanceof Error ? error.message : String(error) });
}
