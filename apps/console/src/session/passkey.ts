import {
  browserSupportsWebAuthn,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
} from '@simplewebauthn/browser';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

/** Whether this browser can hold or use passkeys on this page (needs HTTPS or localhost). */
export function canUsePasskeys(): boolean {
  return window.isSecureContext && browserSupportsWebAuthn();
}

/** The browser's own refusals, in words that say what to do. */
function explain(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('The browser refused without saying why.');
  if (error.name === 'NotAllowedError') {
    return new Error('The passkey was not used: the request was cancelled, or it took too long. Try again.');
  }
  if (error.name === 'InvalidStateError') return new Error('This device already holds a passkey for this account.');
  return error;
}

async function withBrowser<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    throw explain(error);
  }
}

export async function signInWithPasskey(): Promise<void> {
  const { challengeId, options } = taken(await api.POST('/api/v1/auth/passkey/options'));
  const response = await withBrowser(async () =>
    startAuthentication({ optionsJSON: options as unknown as PublicKeyCredentialRequestOptionsJSON }),
  ); // the server's library makes these options for this one
  taken(await api.POST('/api/v1/auth/passkey/verify', { body: { challengeId, response } as never }));
}

export async function addPasskey(name: string): Promise<{ recoveryCodes: string[] | null; signedIn: boolean }> {
  const { challengeId, options } = taken(await api.POST('/api/v1/auth/passkey/register/options'));
  const response = await withBrowser(async () =>
    startRegistration({ optionsJSON: options as unknown as PublicKeyCredentialCreationOptionsJSON }),
  );
  return taken(
    await api.POST('/api/v1/auth/passkey/register/verify', { body: { challengeId, response, name } as never }),
  );
}

export async function confirmWithPasskey(): Promise<void> {
  const { challengeId, options } = taken(await api.POST('/api/v1/auth/step-up/passkey/options'));
  const response = await withBrowser(async () =>
    startAuthentication({ optionsJSON: options as unknown as PublicKeyCredentialRequestOptionsJSON }),
  );
  taken(await api.POST('/api/v1/auth/step-up/passkey/verify', { body: { challengeId, response } as never }));
}
