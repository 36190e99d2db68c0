import type { ServerResponse } from 'node:http';
import { EventEmitter, once } from 'node:events';
import type { IdentityContext } from '../context.ts';
import type { SigningKeys } from '../oauth/signing-keys.ts';
import { createIntake, type Intake, POLL_MS } from './intake.ts';
import { createSignalAdmin, type SignalAdmin } from './signal-admin.ts';
import { createStreams, type Streams } from './streams.ts';
import { createTransmitter, OUTBOX_CHANNEL } from './transmitter.ts';

/** Triggers of migration 0022 notify here. */
const SIGNALS_CHANNEL = 'cordon_signals';

export interface SignalServer {
  /** Makes events of what happened, pushes what is due, asks sources; tests call it, the process calls it by itself. */
  run(): Promise<void>;
  stop(): Promise<void>;
}

/** OpenID Shared Signals: what we tell others, and what they tell us. */
export interface Signals {
  readonly admin: SignalAdmin;
  readonly streams: Streams;
  readonly intake: Intake;
  /** Until something waits for whoever polls, the client leaves, or the time is over. */
  waiting(ms: number, response: ServerResponse): Promise<void>;
  start(): Promise<SignalServer>;
}

export function createSignals(context: IdentityContext, keys: SigningKeys): Signals {
  const streams = createStreams(context, keys);
  const intake = createIntake(context);
  const transmitter = createTransmitter(context, keys);
  const news = new EventEmitter();
  // One listener for each poll that waits; a thousand receivers may.
  news.setMaxListeners(0);
  return {
    streams,
    intake,
    admin: createSignalAdmin(context, streams),
    async waiting(ms, response) {
      const gone = new AbortController();
      const leave = (): void => gone.abort();
      response.once('close', leave);
      const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(ms)]);
      // Time over is as good an end as news.
      await once(news, 'event', { signal }).catch(() => undefined);
      response.off('close', leave);
    },
    async start() {
      const { db, logger } = context;
      let running: Promise<void> | null = null;
      let again = false;
      const run = async (): Promise<void> => {
        again = true;
        running ??= (async () => {
          while (again) {
            again = false;
            await transmitter.run();
            await intake.pollAll();
          }
        })().finally(() => {
          running = null;
        });
        await running;
      };
      const wake = (): void => {
        run().catch((error: unknown) => logger.error({ err: error }, 'shared signals could not be sent'));
      };
      const facts = await db.listen(SIGNALS_CHANNEL, wake);
      const outbox = await db.listen(OUTBOX_CHANNEL, () => void news.emit('event'));
      const timer = setInterval(wake, POLL_MS);
      return {
        run,
        async stop() {
          clearInterval(timer);
          news.emit('event');
          await facts.stop();
          await outbox.stop();
          await running?.catch(() => undefined);
        },
      };
    },
  };
}
