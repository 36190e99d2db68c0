import createFetchClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './generated/api.ts';

export type { components, paths };

/** RFC 9457 problem details as Cordon's API answers every error. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly code: string;
  readonly [extension: string]: unknown;
}

export type ApiClient = Client<paths>;

/** A typed client of Cordon's HTTP API; the types are generated from the document that the server serves. */
export function createApiClient(options: {
  readonly baseUrl: string;
  /** API token; a browser uses its session instead. */
  readonly token?: string;
  readonly fetch?: typeof fetch;
}): ApiClient {
  return createFetchClient<paths>({
    baseUrl: options.baseUrl,
    ...(options.token === undefined ? {} : { headers: { authorization: `Bearer ${options.token}` } }),
    ...(options.fetch ? { fetch: options.fetch } : {}),
  });
}

/** Whether a value is a problem document. */
export function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'detail' in value && 'code' in value;
}
