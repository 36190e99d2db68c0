import type { MadeCredential, Operation } from '../api/wire.ts';

/** A token by client_credentials. The secret is left to the shell: it belongs in no history and on no screen twice. */
export function tokenCommand(
  credential: Pick<MadeCredential, 'clientId' | 'method' | 'tokenEndpoint'> | null,
  origin: string,
): string {
  const endpoint = credential?.tokenEndpoint ?? `${origin}/oauth/token`;
  const client = credential?.clientId ?? '$CLIENT_ID';
  if (credential?.method === 'private_key_jwt') {
    return [
      `TOKEN=$(curl -s ${endpoint} \\`,
      `  -d grant_type=client_credentials -d client_id=${client} \\`,
      '  -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \\',
      '  -d client_assertion="$SIGNED_ASSERTION" | jq -r .access_token)',
    ].join('\n');
  }
  return [
    `TOKEN=$(curl -s ${endpoint} \\`,
    `  -u ${client}:"$CLIENT_SECRET" \\`,
    '  -d grant_type=client_credentials | jq -r .access_token)',
  ].join('\n');
}

/** A call of the simplest read that the app describes. */
export function callCommand(gatewayUrl: string, appName: string, operations: readonly Operation[]): string {
  const reads = operations.filter(({ access, method }) => access === 'read' && method.toUpperCase() === 'GET');
  const simplest = reads.find(({ path }) => !path.includes('{')) ?? reads[0];
  const authority = gatewayUrl.startsWith('https://localhost') ? ' --cacert ca.pem' : '';
  return `curl${authority} -H "authorization: Bearer $TOKEN" ${gatewayUrl}/${appName}${simplest?.path ?? '/'}`;
}
