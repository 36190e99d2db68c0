/** Header parameters of which every JOSE header has one (RFC 7515 section 4.1, RFC 7516 section 4.1). */
const HEADER_NAMES = /"(?:alg|typ|enc|kid)"/;

/**
 * Whether the first part of a token is a JOSE header. It is looked at as text and not parsed, so that tokens that
 * went through something that damaged a few characters still count.
 */
export function isJwt(value: string): boolean {
  const [header = '', payload = ''] = value.split('.');
  const text = Buffer.from(header, 'base64url').toString('latin1').trim();
  return text.startsWith('{') && text.endsWith('}') && HEADER_NAMES.test(text) && payload.length > 0;
}
