import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { allowedOrigins, type IdentityConfig } from '../config.ts';
import { PasskeyInvalid } from '../errors.ts';
import type { Person } from '../people/person.ts';
import { CHALLENGE_MS_MAX } from './challenge-store.ts';
import type { Passkey } from './factor-store.ts';

/** COSE algorithms: Ed25519, ES256, and RS256 for Windows Hello. */
const ALGORITHMS = [-8, -7, -257];

function rpIdOf(config: IdentityConfig): string {
  return new URL(config.publicUrl).hostname;
}

/** A copy over a plain ArrayBuffer: what the WebAuthn library's types ask for. */
function bytesOf(buffer: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer);
}

/** Options for `navigator.credentials.create()`: a discoverable key that verifies its user. */
export function makeRegistrationOptions(
  config: IdentityConfig,
  person: Person,
  handle: Buffer,
  existing: readonly Passkey[],
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  return generateRegistrationOptions({
    rpName: config.organisation,
    rpID: rpIdOf(config),
    userName: person.login,
    userDisplayName: person.name,
    userID: bytesOf(handle),
    timeout: CHALLENGE_MS_MAX,
    attestationType: config.attestation,
    excludeCredentials: existing.map((passkey) => ({ id: passkey.credentialId, transports: [...passkey.transports] })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    supportedAlgorithmIDs: ALGORITHMS,
  });
}

export type RegisteredPasskey = Pick<
  Passkey,
  | 'credentialId'
  | 'publicKey'
  | 'signCount'
  | 'transports'
  | 'deviceType'
  | 'backedUp'
  | 'aaguid'
  | 'attestationFormat'
  | 'attestationObject'
>;

/** Checks a new key against the challenge that was given out (WebAuthn, section 7.1). */
export async function checkRegistration(
  config: IdentityConfig,
  challenge: string,
  response: RegistrationResponseJSON,
): Promise<RegisteredPasskey> {
  const verified = await verifyRegistrationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: [...allowedOrigins(config)],
    expectedRPID: rpIdOf(config),
    requireUserVerification: true,
    supportedAlgorithmIDs: ALGORITHMS,
  }).catch((cause: unknown) => {
    throw new PasskeyInvalid('The passkey could not be checked.', {}, cause);
  });
  if (!verified.verified) throw new PasskeyInvalid('The passkey could not be checked.');
  const info = verified.registrationInfo;
  return {
    credentialId: info.credential.id,
    publicKey: Buffer.from(info.credential.publicKey),
    signCount: info.credential.counter,
    transports: info.credential.transports ?? [],
    deviceType: info.credentialDeviceType,
    backedUp: info.credentialBackedUp,
    aaguid: info.aaguid,
    attestationFormat: info.fmt,
    attestationObject: Buffer.from(info.attestationObject),
  };
}

/** Options for `navigator.credentials.get()`; without keys, the browser offers every key it has for this site. */
export function makeAuthenticationOptions(
  config: IdentityConfig,
  allowed: readonly Passkey[] = [],
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  return generateAuthenticationOptions({
    rpID: rpIdOf(config),
    timeout: CHALLENGE_MS_MAX,
    userVerification: 'required',
    allowCredentials: allowed.map((passkey) => ({ id: passkey.credentialId, transports: [...passkey.transports] })),
  });
}

/** Checks an assertion (WebAuthn, section 7.2): challenge, origin, user verification, signature, counter. */
export async function checkAuthentication(
  config: IdentityConfig,
  challenge: string,
  response: AuthenticationResponseJSON,
  passkey: Passkey,
): Promise<{ signCount: number; backedUp: boolean }> {
  const verified = await verifyAuthenticationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: [...allowedOrigins(config)],
    expectedRPID: rpIdOf(config),
    requireUserVerification: true,
    credential: { id: passkey.credentialId, publicKey: bytesOf(passkey.publicKey), counter: passkey.signCount },
  }).catch((cause: unknown) => {
    throw new PasskeyInvalid('The passkey could not be checked.', {}, cause);
  });
  if (!verified.verified) throw new PasskeyInvalid('The passkey could not be checked.');
  const { newCounter, credentialBackedUp } = verified.authenticationInfo;
  return { signCount: newCounter, backedUp: credentialBackedUp };
}
