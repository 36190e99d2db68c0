import { expect, test } from 'vitest';
import { callCommand, tokenCommand } from './first-call-commands.ts';

const operation = (path: string, access: 'read' | 'write', method = 'get') => ({
  id: path,
  method,
  path,
  summary: '',
  tags: [],
  access,
  deprecated: false,
});

test('the token command never holds the secret', () => {
  const made = { clientId: 'c1', method: 'client_secret_basic', tokenEndpoint: 'http://cordon/oauth/token' };
  expect(tokenCommand(made, 'http://x')).toContain('-u c1:"$CLIENT_SECRET"');
  expect(tokenCommand({ ...made, method: 'private_key_jwt' }, 'http://x')).toContain(
    'client_assertion="$SIGNED_ASSERTION"',
  );
  expect(tokenCommand(null, 'http://x')).toContain('http://x/oauth/token');
});

test('the call is the simplest read', () => {
  const operations = [operation('/a', 'write', 'post'), operation('/b/{id}', 'read'), operation('/c', 'read')];
  expect(callCommand('https://localhost:7443', 'notes', operations)).toBe(
    'curl --cacert ca.pem -H "authorization: Bearer $TOKEN" https://localhost:7443/notes/c',
  );
  expect(callCommand('https://gw.example', 'notes', [])).toMatch(/gw\.example\/notes\/$/);
});
