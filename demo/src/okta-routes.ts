import type { ExtraRoutes } from './vendor-shim.ts';

const LOG_PAGE = 2;

const HOUR_MS = 3_600_000;

/** System log of the planted estate, oldest first, with how many hours before the start. Forms after Okta's reference. */
const EVENTS = [
  ['user.session.start', 'User login to Okta', 50],
  ['user.authentication.sso', 'User single sign on to app', 49],
  ['user.account.privilege.grant', 'Grant user privilege', 30],
  ['system.api_token.create', 'Create API token', 3],
  ['policy.lifecycle.update', 'Update policy', 2],
] as const;

const hoursBefore = (at: number, hours: number): string => new Date(at - hours * HOUR_MS).toISOString();

const logEvent = (at: number, [eventType, displayMessage, hours]: (typeof EVENTS)[number], index: number) => ({
  uuid: `5f3b1c1e-7c51-11f0-9a47-02420000000${index}`,
  published: hoursBefore(at, hours),
  eventType,
  displayMessage,
  severity: 'INFO',
  actor: { id: '00umeridian000000001', type: 'User', alternateId: 'admin@meridian.example', displayName: 'Admin' },
  client: { ipAddress: '198.51.100.7', userAgent: { rawUserAgent: 'Mozilla/5.0' } },
  outcome: { result: 'SUCCESS' },
});

const apiTokenAt = (at: number) => ({
  id: '00Tmeridianold000000',
  name: 'nightly export',
  userId: '00umeridian000000001',
  clientName: 'Okta API',
  tokenWindow: 'P30D',
  network: { connection: 'ANYWHERE' },
  created: hoursBefore(at, 26_000),
  lastUpdated: hoursBefore(at, 5),
  expiresAt: hoursBefore(at, -700),
});

/** What emulate's Okta lacks: system log, API tokens, sessions and grants of a user. */
export function oktaRoutes(startedAt: number): (origin: string) => ExtraRoutes {
  return (origin) => {
    const tokens = [apiTokenAt(startedAt)];
    const events = EVENTS.map((event, index) => logEvent(startedAt, event, index));
    return ({ method, url }) => {
      const { pathname, searchParams } = url;
      if (method === 'GET' && pathname === '/api/v1/logs') {
        const since = searchParams.get('since') ?? '';
        const start = Number(searchParams.get('after') ?? 0) || 0;
        const found = events.filter((event) => event.published >= since);
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
