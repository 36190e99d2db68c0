import { PageIterator } from '@microsoft/microsoft-graph-client';
import { z } from 'zod';
import { graphClient } from '../graph-client.ts';
import { type IntegrationContext, type IntegrationRun, messageOf, startRun } from '../integration.ts';

const pageSchema = z.looseObject({ value: z.array(z.unknown()) });

/** Reads the directory of Microsoft 365, following `@odata.nextLink`. */
export async function run(context: IntegrationContext): Promise<IntegrationRun> {
  const wire = startRun(context);
  const address = context.addressOf('microsoft');
  const client = graphClient(address.tlsPortUrl ?? address.portUrl ?? address.prefixUrl, () => context.token(), wire);
  let users = 0;
  try {
    const first = pageSchema.parse(await client.api('/users').top(10).select('id,displayName,mail').get());
    const iterator = new PageIterator(client, first, () => {
      users += 1;
      return true;
    });
    await iterator.iterate();
    context.report(`${users} people`);
    return { wire, counts: { users, pages: wire.calls.length } };
  } catch (error) {
    return { wire, sdkError: messageOf(error), counts: { users, pages: wire.calls.length } };
  }
}
