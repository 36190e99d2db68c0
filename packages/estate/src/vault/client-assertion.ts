import { constants, createPrivateKey, sign } from 'node:crypto';

type Algorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function signature(algorithm: Algorithm, data: Buffer, pem: string): Buffer {
  const key = createPrivateKey(pem);
  switch (algorithm) {
    case 'RS256':
      return sign('sha256', data, key);
    case 'PS256':
      return sign('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
    case 'ES256':
      return sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' });
    default:
      return sign(null, data, key);
  }
}

/** A compact JWS (RFC 7515, section 7.1) over JWT claims. @throws when the key doesn't fit the algorithm. */
export function signJwt(
  claims: Readonly<Record<string, unknown>>,
  { algorithm, privateKey, keyId }: { algorithm: Algorithm; privateKey: string; keyId?: string | undefined },
): string {
  const header = { alg: algorithm, typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) };
  const data = `${encode(header)}.${encode(claims)}`;
  return `${data}.${signature(algorithm, Buffer.from(data), privateKey).toString('base64url')}`;
}
