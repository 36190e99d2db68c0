import { Octokit } from '@octokit/rest';
import { type IntegrationContext, type IntegrationRun, messageOf, SILENT_LOG, startRun } from '../integration.ts';
import { GITHUB_ORG, GITHUB_REPO } from '../seeds/github-seed.ts';

/** Opens one proper issue, then one whose title is an object, which GitHub's description forbids. */
export async function run(context: IntegrationContext): Promise<IntegrationRun> {
  const wire = startRun(context);
  const octokit = new Octokit({
    auth: await context.token(),
    baseUrl: context.addressOf('github').prefixUrl,
    request: { fetch: wire.fetch },
    log: SILENT_LOG,
  });
  const repo = { owner: GITHUB_ORG, repo: GITHUB_REPO };
  const created = await octokit.rest.issues.create({ ...repo, title: 'Weekly report', body: 'All is well.' });
  context.report(`opened issue ${created.data.number}`);
  try {
    // A plain string keeps Octokit's types, which know better, out of the way.
    const route: string = 'POST /repos/{owner}/{repo}/issues';
    await octokit.request(route, { ...repo, title: { text: 'Weekly report', lang: 'en' }, body: 'All is well.' });
    return { wire, counts: { created: 2 } };
  } catch (error) {
    return { wire, sdkError: messageOf(error), counts: { created: 1 } };
  }
}
