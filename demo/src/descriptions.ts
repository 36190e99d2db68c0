import type { AppName } from './vendors.ts';

/**
 * Where the OpenAPI description of an app lies. GitHub's is GitHub's own, from its npm package; the others are
 * Cordon's, written from the vendors' public reference.
 */
export function descriptionOf(app: AppName): URL {
  if (app === 'github') return new URL(import.meta.resolve('@octokit/openapi/generated/api.github.com.json'));
  return new URL(`../../content/connectors/${app}/openapi.yaml`, import.meta.url);
}
