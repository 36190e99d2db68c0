import { type ApiClient, createApiClient, isProblem } from '@cordon/client';
import { confirmStrongly } from './step-up-gate.ts';

type SignedOutListener = () => void;
const signedOutListeners = new Set<SignedOutListener>();

/** Called when the server says that nobody is signed in any more. */
export function onSignedOut(listener: SignedOutListener): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

async function problemOf(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  return type.includes('json') ? ((await response.clone().json()) as unknown) : null;
}

/** Sends a request; where the server wants a fresh factor first, asks for it and sends the same request again. */
async function fetchWithStepUp(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const again = request.clone();
  const response = await fetch(request);
  if (response.status !== 401) return response;
  const problem = await problemOf(response);
  if (isProblem(problem) && problem['step_up'] === true) {
    return (await confirmStrongly()) ? fetch(again) : response;
  }
  if (isProblem(problem) && problem.code === 'http.sign_in_required') for (const tell of signedOutListeners) tell();
  return response;
}

export const api: ApiClient = createApiClient({ baseUrl: window.location.origin, fetch: fetchWithStepUp });
