import type { Exchange, UpstreamResponse } from '../exchange.ts';
import { type LinkTarget, rewriteBody, rewriteLinkHeader, rewriteUrl } from '../link-rewriter.ts';
import { isJson } from '../media-type.ts';

const URL_FIELDS = new Set([
  'location',
  'content-location',
  'refresh',
  'operation-location',
  'azure-asyncoperation',
  'x-next-page-url',
]);
/** What describes bytes that were replaced, and so would be wrong. */
const OF_OLD_BYTES = new Set([
  'content-encoding',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
  'accept-ranges',
  'content-range',
]);

/** The target that answered, in the form that this client knows it by. */
function self(exchange: Exchange): LinkTarget {
  const { links, target } = exchange;
  return links.find((link) => link.host === target.host && link.basePath === target.basePath) ?? links[0]!; // never empty
}

function rewriteHeaders(exchange: Exchange, headers: string[]): void {
  const { links, gatewayBase } = exchange;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!;
    // One comparison of lengths passes over most fields.
    if (name.length !== 4 && name.length < 7) continue;
    const lower = name.toLowerCase();
    if (lower === 'link')
      headers[index + 1] = rewriteLinkHeader(headers[index + 1]!, links, self(exchange), gatewayBase);
    else if (URL_FIELDS.has(lower)) {
      headers[index + 1] = rewriteUrl(headers[index + 1]!, links, self(exchange), gatewayBase) ?? headers[index + 1]!;
    }
  }
}

/** Fields that described the bytes before they were changed go; a strong validator becomes a weak one. */
function withoutOldDescription(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!;
    const lower = name.toLowerCase();
    if (OF_OLD_BYTES.has(lower)) continue;
    const value = headers[index + 1]!;
    // RFC 9110, section 8.8.1: a strong validator promises the same bytes, which these aren't.
    kept.push(name, lower === 'etag' && value.startsWith('"') ? `W/${value}` : value);
  }
  return kept;
}

function rewriteHeld(exchange: Exchange, answer: UpstreamResponse): void {
  const body = answer.decoded;
  if (!body || body.length === 0 || !exchange.app.entry.rewriteBodies) return;
  if (!isJson(answer.contentType) && !answer.contentType.endsWith('xml')) return;
  const rewritten = rewriteBody(body, exchange.links, exchange.gatewayBase);
  if (rewritten === body) return;
  answer.decoded = rewritten;
  answer.changed = true;
}

/** Points every address of the upstream at the gateway: otherwise page 2 is fetched past it, token and all. */
export function assignLinks(exchange: Exchange): void {
  const answer = exchange.answer!; // the forward step refused the call otherwise
  rewriteHeaders(exchange, answer.headers);
  rewriteHeld(exchange, answer);
  if (answer.changed) answer.headers = withoutOldDescription(answer.headers);
}
