type Key = Record<string, unknown>;

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const KEYS_MAX = 10;

function isObject(value: unknown): value is Key {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A pasted JWK or JWK set (RFC 7517). A private key is refused here already: it should never travel, not even to be
 * refused by the server.
 */
export function readJwks(text: string): { readonly keys: Key[]; readonly problem: string | null } {
  const refuse = (problem: string) => ({ keys: [], problem });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('This is not JSON.');
  }
  if (!isObject(value)) return refuse('A key or a key set is expected.');
  const keys = Array.isArray(value['keys']) ? (value['keys'] as unknown[]) : [value];
  if (keys.length === 0 || keys.length > KEYS_MAX) return refuse(`A set holds 1 to ${KEYS_MAX} keys.`);
  if (!keys.every(isObject)) return refuse('Each key is an object.');
  if (keys.some((key) => typeof key['kty'] !== 'string')) return refuse('Each key needs its kty.');
  const leaked = PRIVATE_MEMBERS.find((member) => keys.some((key) => member in key));
  if (leaked !== undefined) {
    return refuse(
      `This holds a private key (member "${leaked}"). Paste the public part only, and consider this key known.`,
    );
  }
  return { keys, problem: null };
}
