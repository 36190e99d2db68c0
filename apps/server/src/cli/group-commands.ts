import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const GROUPS_PAGES_MAX = 1_000;
const PEOPLE_PAGES_MAX = 1_000;

type Api = Awaited<ReturnType<CliContext['connect']>>['api'];

async function everyGroup(api: Api) {
  const all = [];
  let after: string | undefined;
  for (let page = 0; page < GROUPS_PAGES_MAX; page += 1) {
    const query = after === undefined ? {} : { after };
    const { groups, next } = take(await api.GET('/api/v1/groups', { params: { query } }));
    all.push(...groups);
    if (next === null) break;
    after = next;
  }
  return all;
}

async function findGroup(api: Api, name: string) {
  const found = (await everyGroup(api)).find(({ id, displayName }) => id === name || displayName === name);
  if (!found) throw new UsageWrong(`There is no group ${name}.`);
  return found;
}

/** Ids of people by id, login or e-mail address. */
async function personIds(api: Api, names: readonly string[]): Promise<string[]> {
  const left = new Set(names.map((name) => name.toLowerCase()));
  const ids: string[] = [];
  let after: string | undefined;
  for (let page = 0; page < PEOPLE_PAGES_MAX && left.size > 0; page += 1) {
    const query = after === undefined ? {} : { after };
    const { people, next } = take(await api.GET('/api/v1/people', { params: { query } }));
    for (const one of people) {
      const isNamed = [one.id, one.login, one.email].map((name) => left.delete(name.toLowerCase())).includes(true);
      if (isNamed) ids.push(one.id);
    }
    if (next === null) break;
    after = next;
  }
  if (left.size > 0) throw new UsageWrong(`There is nobody ${[...left].join(', ')}.`);
  return ids;
}

interface MemberOptions {
  readonly add?: string[];
  readonly remove?: string[];
  readonly preview?: true;
}

type Changes = readonly {
  readonly person: { readonly name: string };
  readonly gained: readonly { readonly kind: string; readonly name: string }[];
  readonly lost: readonly { readonly kind: string; readonly name: string }[];
}[];

function printChanges(changes: Changes): void {
  const rows = changes.flatMap(({ person, gained, lost }) => [
    ...gained.map(({ kind, name }) => [person.name, 'gains', kind, name]),
    ...lost.map(({ kind, name }) => [person.name, 'loses', kind, name]),
  ]);
  if (rows.length === 0) note('Nobody gains or loses access by this.');
  else printTable(['who', '', 'what', 'name'], rows);
}

/** Groups of people: who is in, what that gives, and what a change would mean. */
export function addGroupCommands(program: Command, context: CliContext): void {
  const group = program.command('group').description('groups of people: members, and what being in one gives');
  group
    .command('list')
    .description('every group')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const groups = await everyGroup(api);
      if (options.json) return printJson(groups);
      const rows = groups.map((one) => [
        one.displayName,
        one.keptBy,
        String(one.members),
        one.roles.join(', '),
        one.owner?.name ?? '',
        one.id,
      ]);
      return printTable(['group', 'kept by', 'members', 'roles', 'owner', 'id'], rows);
    });
  group
    .command('show <group>')
    .description('who is in it, and what that gives')
    .option('--json', 'as JSON')
    .action(async (name: string, options: { json?: boolean }) => {
      const { api } = await context.connect();
      const params = { path: { id: (await findGroup(api, name)).id } };
      const found = take(await api.GET('/api/v1/groups/{id}', { params }));
      const { people } = take(await api.GET('/api/v1/groups/{id}/members', { params: { ...params, query: {} } }));
      if (options.json) return printJson({ ...found, people });
      note(found.gives.map((one) => `gives ${one.kind} ${one.name}`).join('\n') || 'Gives nothing.');
      const rows = people.map((one) => [one.name, one.login, one.status, one.by.join(', '), one.endsAt ?? '']);
      return printTable(['member', 'login', 'status', 'by', 'ends'], rows);
    });
  group
    .command('add <name>')
    .description('make a group that is kept here')
    .option('--description <text>', 'what it is for', '')
    .option('--owner <person>', 'approves who comes in for a while')
    .action(async (displayName: string, options: { description: string; owner?: string }) => {
      const { api } = await context.connect();
      const [ownerId = null] = options.owner === undefined ? [] : await personIds(api, [options.owner]);
      const body = { displayName, description: options.description, ownerId };
      print(take(await api.POST('/api/v1/groups', { body })).id);
    });
  group
    .command('members <group>')
    .description('put people (by login, e-mail address or id) in and out of a group kept here')
    .option('--add <person...>', 'who comes in')
    .option('--remove <person...>', 'who goes out')
    .option('--preview', 'only say what it would mean')
    .action(async (name: string, options: MemberOptions) => {
      const { api } = await context.connect();
      const params = { path: { id: (await findGroup(api, name)).id } };
      const body = {
        add: await personIds(api, options.add ?? []),
        remove: await personIds(api, options.remove ?? []),
      };
      const path = options.preview ? '/api/v1/groups/{id}/preview' : '/api/v1/groups/{id}/members';
      printChanges(take(await api.POST(path, { params, body })).changes);
    });
  group
    .command('remove <group>')
    .description('remove a group kept here')
    .option('--preview', 'only say who would lose what')
    .action(async (name: string, options: { preview?: true }) => {
      const { api } = await context.connect();
      const params = { path: { id: (await findGroup(api, name)).id } };
      const done = options.preview
        ? await api.POST('/api/v1/groups/{id}/preview', { params, body: { removed: true } })
        : await api.DELETE('/api/v1/groups/{id}', { params });
      printChanges(take(done).changes);
    });
}
