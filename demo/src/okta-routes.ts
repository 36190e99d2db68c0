import type { ExtraRoutes } from './vendor-shim.ts';

const LOG_PAGE = 2;

/** System log of the planted estate, oldest first. Forms after Okta's public reference. */
const EVENTS = [
  ['user.session.start', 'User login to Okta', '2026-01-10T08:00:00.000Z'],
  ['user.authentication.sso', 'User single sign on to app', '2026-01-10T08:01:00.000Z'],
  ['user.account.privilege.grant', 'Grant user privilege', '2026-01-11T17:30:00.000Z'],
  ['system.api_token.create', 'Create API token', '2026-01-12T09:15:00.000Z'],
  ['policy.lifecycle.update', 'Update policy', '2026-01-12T09:20:00.000Z'],
] as const;

const logEvent = ([eventType, displayMessage, published]: (typeof EVENTS)[number], index: number) => ({
  uuid: `5f3b1c1e-7c51-11f0-9a47-02420000000${index}`,
  published,
  eventType,
  displayMessage,
  severity: 'INFO',
  actor: { id: '00umeridian000000001', type: 'User', alternateId: 'admin@meridian.example', displayName: 'Admin' },
  client: { ipAddress: '198.51.100.7', userAgent: { rawUserAgent: 'Mozilla/5.0' } },
  outcome: { result: 'SUCCESS' },
});

const apiToken = {
  id: '00Tmeridianold000000',
  name: 'nightly export',
  userId: '00umeridian000000001',
  clientName: 'Okta API',
  tokenWindow: 'P30D',
  network: { connection: 'ANYWHERE' },
  created: '2023-03-01T00:00:00.000Z',
  lastUpdated: '2025-12-30T02:00:00.000Z',
  expiresAt: '2026-01-29T02:00:00.000Z',
};

/** What emulate's Okta lacks: system log, API tokens, sessions and grants of a user. */
export function oktaRoutes(): (origin: string) => ExtraRoutes {
  return (origin) => {
    const tokens = [apiToken];
    return ({ method, url }) => {
      const { pathname, searchParams } = url;
      if (method === 'GET' && pathname === '/api/v1/logs') {
        const since = searchParams.get('since') ?? '';
        const start = Number(searchParams.get('after') ?? 0) || 0;
        const found = EVENTS.map(logEvent).filter((event) => event.published >= since);
        const next = new URL(url.pathname + url.search, origin);
        next.searchParams.set('after', String(start + LOG_PAGE));
        const isMore = start + LOG_PAGE < found.length;
        const page = found.slice(start, start + LOG_PAGE);
        return { status: 200, body: page, ...(isMore ? { headers: { link: `<${next.href}>; rel="next"` } } : {}) };
      }
      if (method === 'GET' && pathname === '/api/v1/api-tokens') return { status: 200, body: tokens };
      const token = /^\/api\/v1\/api-tokens\/([^/]+)$/.exec(pathname)?.[1];
      if (token !== undefined) {
        const index = tokens.findIndex((one) => one.id === token);
        const missing = { status: 404, body: { errorCode: 'E0000007', errorSummary: 'Not found: Resource not found' } };
        if (index < 0) return missing;
        if (method === 'DELETE') return tokens.splice(index, 1) && { status: 204 };
        return { status: 200, body: tokens[index] };
      }
      if (method === 'DELETE' && /^\/api\/v1\/users\/[^/]+\/sessions$/.test(pathname)) return { status: 204 };
      return undefined;
    };
  };
}
