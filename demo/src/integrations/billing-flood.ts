import { Stripe } from 'stripe';
import { type IntegrationContext, type IntegrationRun, messageOf, startRun } from '../integration.ts';

const IN_FLIGHT_MAX = 8;

/** Asks for the list of charges far more often than anyone needs it, without waiting when told to. */
export async function run(context: IntegrationContext, callsCount: number): Promise<IntegrationRun> {
  const wire = startRun(context);
  const address = context.addressOf('stripe');
  const url = new URL(address.portUrl ?? address.prefixUrl);
  const stripe = new Stripe(await context.token(), {
    host: url.hostname,
    port: url.port,
    protocol: url.protocol === 'https:' ? 'https' : 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    httpClient: Stripe.createFetchHttpClient(wire.fetch),
  });
  let left = callsCount;
  let sdkError: string | undefined;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      try {
        await stripe.charges.list({ limit: 3 });
      } catch (error) {
        sdkError = messageOf(error);
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT_MAX }, caller));
  const served = wire.calls.filter((call) => call.status === 200).length;
  const limited = wire.calls.filter((call) => call.status === 429).length;
  context.report(`${served} served, ${limited} held back`);
  return { wire, counts: { served, limited }, ...(sdkError === undefined ? {} : { sdkError }) };
}
