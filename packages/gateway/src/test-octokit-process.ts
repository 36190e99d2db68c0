import { Octokit } from '@octokit/rest';

// A script as people have them: it knows nothing of Cordon and reads nothing but its own settings.
const octokit = new Octokit({ baseUrl: process.argv[2] ?? '', auth: 'ghp_the-key-that-the-script-had' });
const { data } = await octokit.rest.issues.listForRepo({ owner: 'octo', repo: 'demo' });
process.stdout.write(JSON.stringify(data));
