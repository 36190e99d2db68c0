import { z } from 'zod';

const HEAD_BYTES = 4;
const head = z.strictObject({ headers: z.array(z.tuple([z.string(), z.string()])).max(64), path: z.string() });

export interface DeliveryContent {
  readonly headers: readonly (readonly [string, string])[];
  readonly path: string;
  readonly body: Buffer;
}

/** What a gateway sealed: the length of a head in JSON, the head, the body. */
export function readContent(bytes: Buffer): DeliveryContent {
  const length = bytes.readUInt32BE(0);
  const { headers, path } = head.parse(JSON.parse(bytes.toString('utf8', HEAD_BYTES, HEAD_BYTES + length)));
  return { headers, path, body: bytes.subarray(HEAD_BYTES + length) };
}
