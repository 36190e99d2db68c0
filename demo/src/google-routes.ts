import { z } from 'zod';
import type { ExtraAnswer, ExtraRoutes } from './vendor-shim.ts';

const permissionSchema = z.object({
  type: z.enum(['user', 'group', 'domain', 'anyone']),
  role: z.enum(['owner', 'organizer', 'fileOrganizer', 'writer', 'commenter', 'reader']),
  emailAddress: z.string().optional(),
});
const patchSchema = z.object({ trashed: z.boolean() });
const labelsSchema = z.object({
  labelModifications: z.array(z.object({ labelId: z.string(), removeLabel: z.boolean().optional() })).max(20),
});
const fileSchema = z.looseObject({ id: z.string() });
const listSchema = z.looseObject({ files: z.array(fileSchema) });

interface Permission {
  readonly kind: 'drive#permission';
  readonly id: string;
  readonly type: string;
  readonly role: string;
  readonly allowFileDiscovery?: boolean;
}

const invalid = (message: string): ExtraAnswer => ({
  status: 400,
  body: { error: { code: 400, message, status: 'INVALID_ARGUMENT' } },
});
const notFound: ExtraAnswer = {
  status: 404,
  body: { error: { code: 404, message: 'Permission not found.', status: 'NOT_FOUND' } },
};

function parsed<T>(schema: z.ZodType<T>, body: Buffer): T | null {
  try {
    return schema.parse(JSON.parse(body.toString('utf8')));
  } catch {
    return null;
  }
}

/** What the emulator of Drive has no place for: who a file is shared with, the bin, and labels. */
class DriveState {
  readonly #permissions = new Map<string, Permission[]>();
  readonly #trashed = new Set<string>();
  readonly #labels = new Map<string, Set<string>>();

  permissions(file: string): readonly Permission[] {
    return this.#permissions.get(file) ?? [];
  }

  share(file: string, { type, role }: z.output<typeof permissionSchema>): Permission {
    const id = type === 'anyone' ? 'anyoneWithLink' : `perm_${this.permissions(file).length + 1}`;
    const added: Permission = { kind: 'drive#permission', id, type, role, allowFileDiscovery: false };
    this.#permissions.set(file, [...this.permissions(file).filter((one) => one.id !== id), added]);
    return added;
  }

  unshare(file: string, id: string): boolean {
    const left = this.permissions(file).filter((one) => one.id !== id);
    const had = left.length < this.permissions(file).length;
    this.#permissions.set(file, left);
    return had;
  }

  trash(file: string, trashed: boolean): void {
    if (trashed) this.#trashed.add(file);
    else this.#trashed.delete(file);
  }

  labels(file: string): { id: string }[] {
    return [...(this.#labels.get(file) ?? [])].map((id) => ({ id }));
  }

  modify(file: string, { labelModifications }: z.output<typeof labelsSchema>): void {
    const labels = this.#labels.get(file) ?? new Set<string>();
    for (const { labelId, removeLabel } of labelModifications) {
      if (removeLabel) labels.delete(labelId);
      else labels.add(labelId);
    }
    this.#labels.set(file, labels);
  }

  /** The file as Drive shows it, with what is kept here. */
  amend(file: z.output<typeof fileSchema>) {
    const permissions = this.permissions(file.id);
    return {
      ...file,
      ...(permissions.length > 0 && { permissions, shared: true }),
      ...(this.#trashed.has(file.id) && { trashed: true }),
      labelInfo: { labels: this.labels(file.id) },
    };
  }
}

/** After the public reference of Drive v3: `permissions`, `files.update` of `trashed`, `listLabels`, `modifyLabels`. */
export function googleRoutes(): () => ExtraRoutes {
  return () => {
    const drive = new DriveState();
    return ({ method, url, body }) => {
      if (method === 'GET' && url.pathname === '/drive/v3/files')
        return {
          amend: (answer) => {
            const list = listSchema.parse(answer);
            return { ...list, files: list.files.map((file) => drive.amend(file)) };
          },
        };
      const [, id = '', part, child = ''] =
        /^\/drive\/v3\/files\/([^/]+)(?:\/(\w+))?(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
      if (id === '') return undefined;
      const file = decodeURIComponent(id);
      if (part === undefined && url.searchParams.get('alt') !== 'media') return fileAnswer(drive, file, method, body);
      if (part === 'permissions') return permissionAnswer(drive, file, decodeURIComponent(child), method, body);
      if (part === 'listLabels' && method === 'GET')
        return { status: 200, body: { kind: 'drive#labelList', labels: drive.labels(file) } };
      if (part === 'modifyLabels' && method === 'POST') {
        const wanted = parsed(labelsSchema, body);
        if (!wanted) return invalid('The label modifications are not valid.');
        drive.modify(file, wanted);
        return { status: 200, body: { kind: 'drive#modifyLabelsResponse', modifiedLabels: drive.labels(file) } };
      }
      return undefined;
    };
  };
}

function fileAnswer(drive: DriveState, file: string, method: string, body: Buffer): ExtraAnswer | undefined {
  if (method === 'GET') return { amend: (answer) => drive.amend(fileSchema.parse(answer)) };
  const wanted = method === 'PATCH' ? parsed(patchSchema, body) : null;
  if (!wanted) return undefined;
  drive.trash(file, wanted.trashed);
  return { status: 200, body: drive.amend({ kind: 'drive#file', id: file }) };
}

function permissionAnswer(
  drive: DriveState,
  file: string,
  id: string,
  method: string,
  body: Buffer,
): ExtraAnswer | undefined {
  if (method === 'GET' && id === '')
    return { status: 200, body: { kind: 'drive#permissionList', permissions: drive.permissions(file) } };
  if (method === 'DELETE') return drive.unshare(file, id) ? { status: 204 } : notFound;
  if (method !== 'POST') return undefined;
  const wanted = parsed(permissionSchema, body);
  return wanted ? { status: 200, body: drive.share(file, wanted) } : invalid('The permission type field is required.');
}
