import { isAbsolute, relative } from 'node:path';
import { loadOwnSettings, OWN_SUBJECT, ownInput } from '@cordon/backup';
import type { Clock, Database } from '@cordon/kernel';
import { z } from 'zod';
import type { BackupParts } from '../backup/backup-parts.ts';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';

export interface OwnBackupRouteDeps extends BackupParts {
  readonly db: Database;
  readonly clock: Clock;
}

const tags = ['backups'];
const ownBody = z.object({
  key: z.string().nullable().describe('Names the registered recovery key; null: none, and no backup is taken.'),
  everyS: z.number().nullable(),
  nextAt: z.number().nullable(),
  place: z.string(),
  besideData: z.boolean().describe('The store lies in the data directory and is lost with it.'),
  snapshots: z.array(z.object({ id: z.string(), at: z.number(), records: z.number(), storedBytes: z.number() })),
  verifiedTakenAt: z.number().nullable(),
  recovery: z.object({ rpoS: z.number().nullable(), targetS: z.number(), rpoMet: z.boolean() }),
});

/** Backups of Cordon itself. They are restored from the command line, when nothing of this runs. */
export function addOwnBackupRoutes(server: ApiServer, deps: OwnBackupRouteDeps): void {
  const { db, clock, backups, openBackups, objectsUrl, dataDir } = deps;
  const isBeside = (): boolean => {
    if (!objectsUrl.startsWith('file:')) return false;
    const path = relative(dataDir, objectsUrl.replace(/^file:(?:\/\/(?=\/))?/, ''));
    return !path.startsWith('..') && !isAbsolute(path);
  };
  const show = async (): Promise<z.output<typeof ownBody>> => {
    const own = await loadOwnSettings(db);
    const repository = await openBackups();
    const snapshots = (await repository.snapshots(OWN_SUBJECT)).toReversed();
    const rpoS = own.verifiedTakenAt === null ? null : Math.round((clock.now() - own.verifiedTakenAt) / 1_000);
    return {
      key: own.recipient,
      everyS: own.everyS,
      nextAt: own.nextAt,
      place: repository.store.place,
      besideData: isBeside(),
      snapshots: snapshots.map(({ id, at, records, storedBytes }) => ({ id, at, records, storedBytes })),
      verifiedTakenAt: own.verifiedTakenAt,
      recovery: { rpoS, targetS: own.rpoS, rpoMet: rpoS !== null && rpoS <= own.rpoS },
    };
  };
  server.get(
    '/api/v1/own-backup',
    { config: { permission: 'backup.read' }, schema: { tags, response: { 200: ownBody } } },
    show,
  );
  server.put(
    '/api/v1/own-backup',
    { config: { permission: 'backup.recovery' }, schema: { tags, body: ownInput, response: { 200: ownBody } } },
    async (request) => {
      await backups.putOwn(actorOf(request), request.body);
      return show();
    },
  );
  server.post(
    '/api/v1/own-backup/jobs',
    {
      config: { permission: 'backup.run' },
      schema: { tags, response: { 202: z.object({ id: z.string() }) } },
    },
    async (request, reply) => {
      const { id } = await backups.request(actorOf(request), { kind: 'own', planId: null, input: {} });
      return reply.status(202).send({ id });
    },
  );
}
