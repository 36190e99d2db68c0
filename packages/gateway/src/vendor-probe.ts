import type { SecretEnvelope } from '@cordon/kernel';
import type { AppEntry, Credential } from '@cordon/policy';
import { amzDate, sha256Hex, signAws } from './aws-signature.ts';
import { CredentialBox } from './credential-box.ts';

/**
 * A GET of an app's path with a credential as gateways attach it: what tries a credential before it is used.
 *
 * @throws {Refusal} `gateway.credential_unavailable` when the credential can't be attached.
 */
export function describeProbe(
  envelope: SecretEnvelope,
  app: AppEntry,
  credential: Credential,
  path: string,
  now: number,
): { readonly url: string; readonly headers: Readonly<Record<string, string>> } {
  const attachment = new CredentialBox(envelope).attachment(app.id, credential, now);
  const url = new URL(`${app.upstream}${path}`);
  const headers: Record<string, string> = { accept: 'application/json, */*;q=0.5', 'user-agent': 'cordon' };
  if (attachment?.place === 'header') headers[attachment.name] = attachment.value;
  if (attachment?.place === 'query' || attachment?.place === 'form') {
    url.searchParams.set(attachment.name, attachment.value);
  }
  if (attachment?.place === 'aws') {
    const { keys, region, service } = attachment;
    headers['x-amz-date'] = amzDate(now);
    headers['x-amz-content-sha256'] = sha256Hex('');
    if (keys.sessionToken !== undefined) headers['x-amz-security-token'] = keys.sessionToken;
    const signed = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-'));
    headers['authorization'] = signAws(
      {
        method: 'GET',
        path: url.pathname + url.search,
        headers: [['host', url.host], ...signed],
        payloadHash: sha256Hex(''),
      },
      keys,
      { region, service, now, literalPath: service === 's3' },
    );
  }
  return { url: url.href, headers };
}
