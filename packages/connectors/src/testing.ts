import type { HttpPort, ToolAnswer, ToolRequest } from './http-port.ts';
import { parseManifest } from './load-manifest.ts';

/** A small tool for tests: people in pages of two, a plan that hides its log, a user that can be suspended. */
export const TOOL_MANIFEST = `
connector: 1
app: tool
title: Tool
vendor: Tool Ltd.
evidence: described
evidenceNote: A tool that only these tests know.
sources: [https://tool.example/openapi.json]
baseUrl: https://{config.site}.tool.example
config: [{ name: site, title: Site, pattern: '[a-z]+' }]
auth: [{ kind: bearer, title: Token }]
rateLimit: { requestsPerMinute: 60000 }
plans: [{ name: basic, title: Basic }, { name: full, title: Full }]
test: { stream: users }
streams:
  users:
    title: Users
    emits: [account]
    request: { path: /users }
    paging: { kind: cursor, from: next, parameter: cursor }
    items: users
    map: '{ "type": "account", "id": id, "kind": "person", "status": status, "name": name }'
  log:
    title: Log
    emits: [audit_event]
    parser: tool
    plans: [full]
    request: { path: /log, query: { since: '{since}' } }
    incremental: { by: time, cursor: at, lookBackS: 60 }
    map: '{ "type": "audit_event", "id": id, "time": at, "raw": $ }'
  notes:
    title: Notes
    emits: [record]
    request: { path: /notes }
    map: '{ "type": "record", "id": id, "object": "note", "content": text }'
  keys:
    title: Keys of each user
    emits: [credential]
    each: { request: { path: /users }, paging: { kind: cursor, from: next, parameter: cursor }, items: users }
    request: { path: '/users/{parent.id}/keys' }
    map: '{ "type": "credential", "id": id, "kind": "api_key", "ownerId": $parent.id, "createdAt": made }'
    notVisible: [{ status: 404, because: The role may not see keys. }]
actions:
  suspend:
    title: Suspend
    kind: suspend_user
    risk: high
    input: { user: { title: User } }
    preview: 'Suspend {input.user}.'
    state:
      request: { path: '/users/{input.user}' }
      done: '$status = 404 or status = "suspended"'
      capture: '{ "status": status }'
      summary: '{ "status": status }'
    run: [{ request: { method: POST, path: '/users/{input.user}/suspend' }, doneStatuses: [409] }]
    undo: [{ request: { method: POST, path: '/users/{input.user}/restore', json: { status: '{captured.status}' } } }]
  notify:
    title: Send a message
    kind: other
    risk: low
    repeatable: false
    input: { user: { title: User } }
    preview: 'Write to {input.user}.'
    run: [{ request: { method: POST, path: '/users/{input.user}/messages' } }]
  rotate:
    title: Rotate a key
    kind: rotate_key
    risk: high
    input: { key: { title: Key } }
    preview: 'Rotate {input.key}.'
    run: [{ request: { method: POST, path: '/keys/{input.key}/rotate' } }]
    result: '{ "id": id }'
    secret: secret
`;

export const toolManifest = () => parseManifest(TOOL_MANIFEST, 'tool');

export interface TestTool extends HttpPort {
  readonly users: { id: string; name: string; status: string }[];
  readonly log: { id: string; at: string }[];
  readonly asked: string[];
  /** Called before each answer; throws to break the connection, gives an answer to replace it. */
  before: (request: string) => ToolAnswer | null | Promise<never>;
  /** Called after the tool has acted and before its answer arrives. */
  after: (request: string) => void;
}

const answer = (status: number, body?: unknown, headers: Record<string, string> = {}): ToolAnswer => ({
  status,
  headers,
  body: body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body)),
});

export function createTestTool(): TestTool {
  const users = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, name: `User ${id}`, status: 'active' }));
  const log = [{ id: 'l1', at: '2026-01-01T00:00:00.000Z' }];
  const respond = (request: ToolRequest, url: URL): ToolAnswer => {
    const [, collection, id, part] = url.pathname.split('/');
    const user = users.find((one) => one.id === id);
    if (collection === 'users' && id === undefined) {
      const start = Number(url.searchParams.get('cursor') ?? 0);
      const next = start + 2 < users.length ? String(start + 2) : '';
      return answer(200, { users: users.slice(start, start + 2), next });
    }
    if (collection === 'log') return answer(200, log);
    if (collection === 'notes')
      return answer(200, [
        { id: 'n1', text: 'a customer wrote' },
        { id: 'n2', text: 'more' },
      ]);
    if (collection === 'keys') return answer(200, { id: 'k2', secret: 'brand-new-secret' });
    if (!user) return answer(404);
    if (part === 'keys') return id === 'b' ? answer(404) : answer(200, [{ id: `key-${id}`, made: 1_700_000_000 }]);
    if (part === 'messages') return answer(201);
    if (part === 'suspend') user.status = 'suspended';
    if (part === 'restore') user.status = (JSON.parse(String(request.body ?? '{}')) as { status: string }).status; // the manifest's body
    return answer(200, user);
  };
  const tool: TestTool = {
    users,
    log,
    asked: [],
    before: () => null,
    after: () => undefined,
    async send(request) {
      const url = new URL(request.url);
      const what = `${request.method} ${url.pathname}${url.search}`;
      tool.asked.push(what);
      const replaced = await tool.before(what);
      if (replaced) return replaced;
      const given = respond(request, url);
      tool.after(what);
      return given;
    },
  };
  return tool;
}
