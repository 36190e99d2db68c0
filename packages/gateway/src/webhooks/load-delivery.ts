import { Refusal } from '../errors.ts';
import { essence } from '../media-type.ts';
import { DeliveryParts } from './delivery-parts.ts';
import type { Hook } from './hook.ts';

function tooLarge(max: number): Refusal {
  return new Refusal('gateway.body_too_large', `This endpoint takes bodies of at most ${max} bytes.`, {
    detail: { bytes_max: max },
    headers: [['Connection', 'close']],
  });
}

function readBody(hook: Hook, max: number): Promise<Buffer> {
  const { request } = hook;
  const { held, limits } = hook.runtime.gateway;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const stop = (refusal: Refusal): void => {
      request.off('data', take);
      request.pause();
      reject(refusal);
    };
    const take = (chunk: Buffer): void => {
      hook.requestBytes += chunk.length;
      if (hook.requestBytes > max) return stop(tooLarge(max));
      if (held.bytes + chunk.length > limits.heldBytesMax) {
        return stop(
          new Refusal('gateway.overloaded', 'The gateway holds as many bodies as it can. Send it again.', {
            headers: [
              ['Retry-After', '5'],
              ['Connection', 'close'],
            ],
          }),
        );
      }
      held.bytes += chunk.length;
      hook.heldBytes += chunk.length;
      chunks.push(chunk);
    };
    const gone = (): void =>
      reject(new Refusal('gateway.client_gone', 'The sender closed the connection before the delivery was complete.'));
    request.on('data', take);
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.once('error', gone);
    request.once('close', () => {
      if (!request.complete) gone();
    });
  });
}

/** The addresses that the vendor may have been given: what it signed is one of them. */
function addressesOf(hook: Hook): string[] {
  const target = hook.request.url ?? '/';
  const bases = [hook.runtime.gateway.config.audience, hook.listener.publicUrl].filter((base) => base !== undefined);
  const own = `${hook.listener.secure ? 'https' : 'http'}://${hook.host}`;
  const urls = [...bases.map((base) => base.replace(/\/$/, '') + target), own + target];
  // Twilio signs the address with or without the scheme's own port, depending on its product.
  const ported = urls.map((url) =>
    url.replace(
      /^(https?):\/\/([^/:]+)(?=\/)/,
      (_all, scheme: string, host: string) => `${scheme}://${host}:${scheme === 'https' ? 443 : 80}`,
    ),
  );
  return [...new Set([...urls, ...ported])];
}

/** Takes the whole body in, as the very bytes that were signed. */
export async function loadDelivery(hook: Hook): Promise<void> {
  const { request } = hook;
  const max = hook.endpoint.plan.entry.bodyBytesMax;
  const length = request.headers['content-length'];
  if (length !== undefined && Number(length) > max) throw tooLarge(max);
  const coding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (coding !== 'identity' && coding !== '') {
    throw new Refusal('gateway.encoding_unsupported', 'Deliveries are taken as they were signed: send the body plain.');
  }
  if (request.headers.expect !== undefined) hook.response.writeContinue();
  // A request that has no body is over already: nothing would tell of its end.
  const isEmpty = request.headers['transfer-encoding'] === undefined && (length === undefined || Number(length) === 0);
  const body = isEmpty ? Buffer.alloc(0) : await readBody(hook, max);
  hook.body = body;
  const mark = request.url?.indexOf('?') ?? -1;
  hook.parts = new DeliveryParts({
    method: hook.method,
    urls: addressesOf(hook),
    query: new URLSearchParams(mark === -1 ? '' : request.url?.slice(mark + 1)),
    type: essence(request.headers['content-type'] ?? ''),
    body,
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
  });
}
