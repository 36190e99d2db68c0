import type { Planter } from './planter.ts';

export const APP_NAMES = ['github', 'slack', 'google', 'stripe', 'okta', 'microsoft'] as const;
export type AppName = (typeof APP_NAMES)[number];

/** What the emulated vendor expects and how it refuses. */
export interface Vendor {
  readonly name: AppName;
  readonly title: string;
  /** Scheme before the vendor's secret in `Authorization`. */
  readonly scheme: 'Bearer' | 'SSWS';
  /** A secret of the vendor's own form. */
  makeSecret(planter: Planter): string;
  /** How the real API answers a missing or wrong secret. */
  readonly refusal: { readonly status: number; readonly body: unknown };
}

export const VENDORS: Readonly<Record<AppName, Vendor>> = {
  github: {
    name: 'github',
    title: 'GitHub',
    scheme: 'Bearer',
    makeSecret: (planter) => planter.githubToken(),
    refusal: {
      status: 401,
      body: { message: 'Bad credentials', documentation_url: 'https://docs.github.com/rest', status: '401' },
    },
  },
  slack: {
    name: 'slack',
    title: 'Slack',
    scheme: 'Bearer',
    makeSecret: (planter) => planter.slackBotToken(),
    // Slack answers refusals with 200.
    refusal: { status: 200, body: { ok: false, error: 'invalid_auth' } },
  },
  google: {
    name: 'google',
    title: 'Google Workspace',
    scheme: 'Bearer',
    makeSecret: (planter) => ['ya', '29.', planter.text(60)].join(''),
    refusal: {
      status: 401,
      body: {
        error: { code: 401, message: 'Request had invalid authentication credentials.', status: 'UNAUTHENTICATED' },
      },
    },
  },
  stripe: {
    name: 'stripe',
    title: 'Stripe',
    scheme: 'Bearer',
    makeSecret: (planter) => ['sk', '_test_', planter.text(32)].join(''),
    refusal: { status: 401, body: { error: { type: 'invalid_request_error', message: 'Invalid API Key provided.' } } },
  },
  okta: {
    name: 'okta',
    title: 'Okta',
    scheme: 'SSWS',
    makeSecret: (planter) => `00${planter.text(40)}`,
    refusal: { status: 401, body: { errorCode: 'E0000011', errorSummary: 'Invalid token provided', errorCauses: [] } },
  },
  microsoft: {
    name: 'microsoft',
    title: 'Microsoft 365',
    scheme: 'Bearer',
    makeSecret: (planter) => ['EwB', planter.text(80)].join(''),
    refusal: {
      status: 401,
      body: { error: { code: 'InvalidAuthenticationToken', message: 'Access token is empty or invalid.' } },
    },
  },
};
