import type { paths } from '@cordon/client';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

export type PortalForm = paths['/api/v1/portal/questionnaire']['get']['responses'][200]['content']['application/json'];
export type PortalQuestion = PortalForm['sections'][number]['questions'][number];
export type PortalValue = PortalForm['answers'][number]['value'];

const STORED = 'cordon-portal-session';

/** The session lives with the tab: who comes back later confirms the address again. */
export function storedSession(): string | null {
  return window.sessionStorage.getItem(STORED);
}

export function storeSession(session: string | null): void {
  if (session === null) window.sessionStorage.removeItem(STORED);
  else window.sessionStorage.setItem(STORED, session);
}

/** What a session may do. */
export function portalOf(session: string) {
  const headers = { 'x-portal-session': session };
  return {
    read: async () => taken(await api.GET('/api/v1/portal/questionnaire', { headers })),
    answer: async (questionId: string, body: PortalValue) =>
      taken(await api.PUT('/api/v1/portal/answers/{questionId}', { headers, params: { path: { questionId } }, body })),
    attach: async (file: File) => {
      const body = { name: file.name, content: await base64Of(file) };
      return taken(await api.POST('/api/v1/portal/files', { headers, body }));
    },
    comment: async (questionId: string, text: string) =>
      taken(await api.POST('/api/v1/portal/comments', { headers, body: { questionId, text } })),
    delegate: async (email: string, questions: string[] | null) =>
      taken(await api.POST('/api/v1/portal/delegates', { headers, body: { email, questions } })),
    submit: async () => taken(await api.POST('/api/v1/portal/submit', { headers })),
  };
}
export type Portal = ReturnType<typeof portalOf>;

const CHUNK = 0x8000;

/** A file's bytes as base64, as the API takes them. */
export async function base64Of(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return window.btoa(text);
}
