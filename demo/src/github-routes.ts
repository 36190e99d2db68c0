import { GITHUB_ORG, GITHUB_REPO } from './seeds/github-seed.ts';
import type { Person } from './seeds/people.ts';
import type { ExtraRoutes } from './vendor-shim.ts';

const DAY_MS = 86_400_000;
const daysBefore = (at: number, days: number): string => new Date(at - days * DAY_MS).toISOString();

const repositoryAt = (at: number) => ({
  id: 900_001,
  name: GITHUB_REPO,
  full_name: `${GITHUB_ORG}/${GITHUB_REPO}`,
  private: true,
  visibility: 'private',
  archived: false,
  description: 'The shop',
  html_url: `https://github.com/${GITHUB_ORG}/${GITHUB_REPO}`,
  default_branch: 'main',
  created_at: daysBefore(at, 900),
  pushed_at: daysBefore(at, 1),
});

/** An app with far more than it needs, as people install them. */
const installationAt = (at: number) => ({
  id: 77_001,
  app_id: 4_242,
  app_slug: 'helpful-ci-notes',
  client_id: 'Iv1.4f2d1a9be0c35d77',
  html_url: 'https://github.com/apps/helpful-ci-notes',
  account: { login: GITHUB_ORG },
  repository_selection: 'all',
  permissions: { administration: 'write', contents: 'write', secrets: 'write', members: 'read' },
  events: ['push'],
  created_at: daysBefore(at, 420),
  suspended_at: null,
});

const deployKeyAt = (at: number) => ({
  id: 55_001,
  key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlanted',
  title: 'deploy from the old build machine',
  read_only: false,
  created_at: daysBefore(at, 1_100),
  last_used: daysBefore(at, 200),
});

/** Actions go on after the start: what was removed stays removed. */
export function githubRoutes(people: readonly Person[], startedAt: number): () => ExtraRoutes {
  return () => {
    const deployKey = deployKeyAt(startedAt);
    const keys = [deployKey];
    const { 0: careless } = people;
    return ({ method, url }) => {
      const org = `/orgs/${GITHUB_ORG}`;
      const repo = `/repos/${GITHUB_ORG}/${GITHUB_REPO}`;
      const { pathname, searchParams } = url;
      if (method === 'DELETE' && pathname === `${repo}/keys/${deployKey.id}`) {
        return keys.splice(0).length > 0 ? { status: 204 } : { status: 404, body: { message: 'Not Found' } };
      }
      if (method !== 'GET') return undefined;
      if (pathname === `${repo}/keys/${deployKey.id}`) {
        return keys[0] ? { status: 200, body: keys[0] } : { status: 404, body: { message: 'Not Found' } };
      }
      if (pathname === `${org}/members` && searchParams.get('filter') === '2fa_disabled') {
        return { status: 200, body: careless ? [{ id: 1, login: careless.login, type: 'User' }] : [] };
      }
      const answers: Readonly<Record<string, unknown>> = {
        [`${org}/repos`]:
          searchParams.get('page') === null || searchParams.get('page') === '1' ? [repositoryAt(startedAt)] : [],
        [`${org}/installations`]: { total_count: 1, installations: [installationAt(startedAt)] },
        [`${org}/outside_collaborators`]: [],
        [`${repo}/keys`]: keys,
      };
      return Object.hasOwn(answers, pathname) ? { status: 200, body: answers[pathname] } : undefined;
    };
  };
}
