/** What the form for an endpoint holds. */
export interface WebhookDraft {
  readonly name: string;
  readonly appId: string;
  readonly integrationId: string;
  readonly scheme: string;
  readonly secret: string;
  readonly url: string;
  readonly types: string;
  readonly order: 'none' | 'endpoint';
  readonly schema: string;
  readonly privateAddresses: string;
}

export const EMPTY_WEBHOOK: WebhookDraft = {
  name: '',
  appId: '',
  integrationId: '',
  scheme: '',
  secret: '',
  url: '',
  types: '',
  order: 'none',
  schema: '',
  privateAddresses: '',
};

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

/** The command's input: empty fields are left out, so that the server's defaults hold. */
export function toWebhookInput(draft: WebhookDraft) {
  const { name, appId, integrationId, scheme, secret, order } = draft;
  const privateAddresses = words(draft.privateAddresses);
  const isPlain = draft.url.trim().startsWith('http:') && privateAddresses.length > 0;
  return {
    name: name.trim(),
    appId,
    integrationId,
    scheme,
    secret,
    url: draft.url.trim(),
    order,
    ...(draft.types.trim() === '' ? {} : { types: words(draft.types) }),
    ...(draft.schema.trim() === '' ? {} : { schema: draft.schema }),
    ...(privateAddresses.length === 0 ? {} : { privateAddresses }),
    ...(isPlain ? { plaintext: 'allow' as const } : {}),
  };
}
