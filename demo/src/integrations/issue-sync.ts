import { Octokit } from '@octokit/rest';
import { IntegrationBroken } from '../errors.ts';
import { type IntegrationContext, type IntegrationRun, SILENT_LOG, startRun } from '../integration.ts';
import { GITHUB_ORG, GITHUB_REPO } from '../seeds/github-seed.ts';

const PAGE = 30;

/** Reads every issue, page after page, as a warehouse sync does. Each page must come through the gateway. */
export async function run(context: IntegrationContext): Promise<IntegrationRun> {
  const wire = startRun(context);
  const gateway = context.addressOf('github').prefixUrl;
  const octokit = new Octokit({
    auth: await context.token(),
    baseUrl: gateway,
    request: { fetch: wire.fetch },
    log: SILENT_LOG,
  });
  let pages = 0;
  let issues = 0;
  const listing = octokit.paginate.iterator(octokit.rest.issues.listForRepo, {
    owner: GITHUB_ORG,
    repo: GITHUB_REPO,
    state: 'all',
    per_page: PAGE,
  });
  for await (const page of listing) {
    pages += 1;
    issues += page.data.length;
    // Octokit follows `Link` wherever it points, and takes its token along.
    if (!page.url.startsWith(`${gateway}/`)) {
      throw new IntegrationBroken(`page ${pages} came from ${new URL(page.url).origin}, not from the gateway`);
    }
    context.report(`page ${pages}: ${issues} issues`);
  }
  return { wire, counts: { pages, issues } };
}
