import { amzDate, sha256Hex, signAws, UNSIGNED_PAYLOAD } from './aws-signature.ts';
import type { Attachment } from './credential-box.ts';
import { Refusal } from './errors.ts';
import type { Exchange } from './exchange.ts';

/** What a client's own signature left behind, made with keys that the vendor doesn't know. */
export const AWS_FIELDS: ReadonlySet<string> = new Set([
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
  'x-amz-decoded-content-length',
]);
const AWS_PARAMETERS = /^X-Amz-(?:Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token)$/i;

/** A plus sign means a space to some and itself to others: on the wire it is written as what it means. */
function unambiguous(path: string): string {
  const question = path.indexOf('?');
  if (question === -1) return path;
  const kept = path
    .slice(question + 1)
    .split('&')
    .filter((pair) => !AWS_PARAMETERS.test(pair.split('=', 1)[0] ?? ''))
    .join('&')
    .replaceAll('+', '%20');
  return kept === '' ? path.slice(0, question) : `${path.slice(0, question)}?${kept}`;
}

function payloadHash(exchange: Exchange, service: string): string {
  if (!exchange.requestStream) return sha256Hex(exchange.requestBody ?? '');
  // Only S3 takes a body that the signature doesn't cover; TLS protects it on its way.
  if (service === 's3') return UNSIGNED_PAYLOAD;
  throw new Refusal(
    'gateway.encoding_unsupported',
    `A body of the type ${exchange.requestType || 'unknown'} is passed on unread and so cannot be signed for ${service}.`,
  );
}

/** Signs a call to AWS over what goes out; adds the fields of the signature. */
export function signCall(exchange: Exchange, headers: string[], attachment: Attachment & { place: 'aws' }): void {
  const { keys, region, service } = attachment;
  const now = exchange.runtime.clock.now();
  exchange.path = unambiguous(exchange.path);
  const hash = payloadHash(exchange, service);
  headers.push('x-amz-date', amzDate(now), 'x-amz-content-sha256', hash);
  if (keys.sessionToken !== undefined) headers.push('x-amz-security-token', keys.sessionToken);
  const signed: [string, string][] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!.toLowerCase();
    if (name === 'host' || name === 'content-type' || name.startsWith('x-amz-'))
      signed.push([name, headers[index + 1]!]);
  }
  const authorization = signAws(
    {
      method: exchange.method,
      path: exchange.target.basePath + exchange.path,
      headers: signed,
      payloadHash: hash,
    },
    keys,
    { region, service, now, literalPath: service === 's3' },
  );
  headers.push('authorization', authorization);
}

const FORM = 'application/x-www-form-urlencoded';

/** Puts the key into the form that the call sends; one that the client sent under that name is replaced. */
export function addFormField(exchange: Exchange, name: string, value: string): void {
  const body = exchange.requestBody;
  if (!body || exchange.requestType !== FORM) {
    throw new Refusal(
      'gateway.request_invalid',
      `The vendor’s key travels in a form field on this app: send a body of the type ${FORM}.`,
    );
  }
  const kept = body
    .toString('utf8')
    .split('&')
    .filter((pair) => pair !== '' && !new URLSearchParams(pair).has(name));
  kept.push(new URLSearchParams([[name, value]]).toString());
  exchange.requestBody = Buffer.from(kept.join('&'));
}
