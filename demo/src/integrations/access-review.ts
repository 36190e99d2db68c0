import { z } from 'zod';
import { type IntegrationContext, type IntegrationRun, messageOf, startRun } from '../integration.ts';

const usersSchema = z.array(z.looseObject({ id: z.string(), status: z.string() }));
const PAGES_MAX = 50;

const nextOf = (link: string | null): string | undefined => /<([^>]+)>;\s*rel="next"/.exec(link ?? '')?.[1];

/** Counts active accounts in Okta with nothing but `fetch`, following `Link` as Okta's guide says. */
export async function run(context: IntegrationContext): Promise<IntegrationRun> {
  const wire = startRun(context);
  const headers = { authorization: `Bearer ${await context.token()}`, accept: 'application/json' };
  let url: string | undefined = `${context.addressOf('okta').prefixUrl}/api/v1/users?limit=10`;
  let active = 0;
  let pages = 0;
  try {
    while (url !== undefined && pages < PAGES_MAX) {
      const response: Response = await wire.fetch(url, { headers });
      if (!response.ok) throw new Error(`Okta answered ${response.status}`);
      active += usersSchema.parse(await response.json()).filter((user) => user.status === 'ACTIVE').length;
      pages += 1;
      url = nextOf(response.headers.get('link'));
    }
    context.report(`${active} active accounts`);
    return { wire, counts: { active, pages } };
  } catch (error) {
    return { wire, sdkError: messageOf(error), counts: { active, pages } };
  }
}
