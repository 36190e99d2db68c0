import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/**
 * A passkey in software, for tests and drills: makes keys and signs challenges as a browser with an authenticator does
 * (WebAuthn Level 3, sections 6 and 7). It holds its keys in memory and always says that its user was verified.
 */
export interface SoftwareAuthenticator {
  /** Answers creation options as `navigator.credentials.create()` would, in JSON form. */
  create(options: CreationOptions): CredentialJson;
  /** Answers request options as `navigator.credentials.get()` would, in JSON form. */
  get(options: RequestOptions): CredentialJson;
  readonly credentialIds: readonly string[];
}

/** `PublicKeyCredential.toJSON()`. */
export interface CredentialJson {
  readonly id: string;
  readonly rawId: string;
  readonly type: 'public-key';
  readonly clientExtensionResults: Record<string, never>;
  readonly response: Record<string, unknown>;
}

interface CreationOptions {
  readonly challenge: string;
  readonly rp: { readonly id?: string };
  readonly user: { readonly id: string };
}

interface RequestOptions {
  readonly challenge: string;
  readonly rpId?: string;
  readonly allowCredentials?: readonly { readonly id: string }[];
}

export interface AuthenticatorFaults {
  /** Says that nobody verified the user. */
  readonly withoutUserVerification?: boolean;
  /** Repeats the last signature counter, as a cloned key would. */
  readonly frozenCounter?: boolean;
  /** Signs something else than it shows. */
  readonly wrongSignature?: boolean;
}

interface StoredKey {
  readonly id: string;
  readonly rpId: string;
  readonly userHandle: string;
  readonly privateKey: KeyObject;
  counter: number;
}

type Cbor = number | string | Buffer | ReadonlyMap<number | string, Cbor>;

function head(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 0x100) return Buffer.from([(major << 5) | 24, value]);
  return Buffer.from([(major << 5) | 25, value >> 8, value & 0xff]);
}

/** The part of CBOR (RFC 8949) that attestation objects and COSE keys need. */
function encodeCbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value, 'utf8')]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  const pairs = [...value].flatMap(([key, item]) => [encodeCbor(key), encodeCbor(item)]);
  return Buffer.concat([head(5, value.size), ...pairs]);
}

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const ATTESTED_DATA = 0x40;

function sha256(data: string | Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}

function clientData(type: 'webauthn.create' | 'webauthn.get', challenge: string, origin: string): Buffer {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }), 'utf8');
}

function makeKey(rpId: string, userHandle: string): { key: StoredKey; cosePublicKey: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  // COSE_Key: kty EC2, alg ES256, crv P-256, x, y (RFC 9053, section 7.1).
  const cose = new Map<number, Cbor>([
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, Buffer.from(x, 'base64url')],
    [-3, Buffer.from(y, 'base64url')],
  ]);
  const id = randomBytes(32).toString('base64url');
  return { key: { id, rpId, userHandle, privateKey, counter: 0 }, cosePublicKey: encodeCbor(cose) };
}

export function createSoftwareAuthenticator(origin: string, faults: AuthenticatorFaults = {}): SoftwareAuthenticator {
  const keys: StoredKey[] = [];
  const hostname = new URL(origin).hostname;

  const authenticatorData = (key: StoredKey, attested?: Buffer): Buffer => {
    const verified = faults.withoutUserVerification ? 0 : USER_VERIFIED;
    const flags = USER_PRESENT | verified | (attested ? ATTESTED_DATA : 0);
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(key.counter);
    return Buffer.concat([sha256(key.rpId), Buffer.from([flags]), counter, attested ?? Buffer.alloc(0)]);
  };
  const wrap = (id: string, response: Record<string, unknown>): CredentialJson => ({
    id,
    rawId: id,
    type: 'public-key',
    clientExtensionResults: {},
    response,
  });

  return {
    get credentialIds() {
      return keys.map((key) => key.id);
    },
    create(options) {
      const { key, cosePublicKey } = makeKey(options.rp.id ?? hostname, options.user.id);
      keys.push(key);
      const id = Buffer.from(key.id, 'base64url');
      const idLength = Buffer.from([id.length >> 8, id.length & 0xff]);
      const attested = Buffer.concat([Buffer.alloc(16), idLength, id, cosePublicKey]);
      const attestation = new Map<string, Cbor>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', authenticatorData(key, attested)],
      ]);
      return wrap(key.id, {
        clientDataJSON: clientData('webauthn.create', options.challenge, origin).toString('base64url'),
        attestationObject: encodeCbor(attestation).toString('base64url'),
        transports: ['internal'],
      });
    },
    get(options) {
      const allowed = options.allowCredentials?.map((credential) => credential.id) ?? [];
      const key = keys.find((candidate) => allowed.length === 0 || allowed.includes(candidate.id));
      if (!key) throw new Error('this authenticator has no fitting key');
      if (!faults.frozenCounter || key.counter === 0) key.counter += 1;
      const data = clientData('webauthn.get', options.challenge, origin);
      const authData = authenticatorData(key);
      const signed = faults.wrongSignature ? authData : Buffer.concat([authData, sha256(data)]);
      return wrap(key.id, {
        clientDataJSON: data.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: sign('sha256', signed, key.privateKey).toString('base64url'),
        userHandle: key.userHandle,
      });
    },
  };
}
