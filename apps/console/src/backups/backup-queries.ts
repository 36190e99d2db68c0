import type { paths } from '@cordon/client';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const POLL_MS = 2_000;

type Items<Path extends keyof paths> = paths[Path]['get'] extends {
  responses: { 200: { content: { 'application/json': { items: (infer Item)[] } } } };
}
  ? Item
  : never;

export type BackupPlan = Items<'/api/v1/backups'>;
export type Snapshot = Items<'/api/v1/backups/{id}/snapshots'>;
export type BackupJob = Items<'/api/v1/backups/{id}/jobs'>;
export type SnapshotLine = Items<'/api/v1/backups/{id}/snapshots/{snapshot}/records'>;
export type RestoreItem = Items<'/api/v1/backup-jobs/{id}/items'>;

export const backupsQuery = queryOptions({
  queryKey: ['backups'],
  queryFn: async () => taken(await api.GET('/api/v1/backups', {})).items,
  refetchInterval: POLL_MS * 5,
});

export const snapshotsQuery = (id: string) =>
  queryOptions({
    queryKey: ['backups', id, 'snapshots'],
    queryFn: async () => taken(await api.GET('/api/v1/backups/{id}/snapshots', { params: { path: { id } } })).items,
    refetchInterval: POLL_MS,
  });

export const jobsQuery = (id: string) =>
  queryOptions({
    queryKey: ['backups', id, 'jobs'],
    queryFn: async () => taken(await api.GET('/api/v1/backups/{id}/jobs', { params: { path: { id } } })).items,
    refetchInterval: POLL_MS,
  });

export const recordsQuery = (id: string, snapshot: string, text: string) =>
  queryOptions({
    queryKey: ['backups', id, 'records', snapshot, text],
    queryFn: async () => {
      const params = { path: { id, snapshot }, query: text === '' ? {} : { text } };
      return taken(await api.GET('/api/v1/backups/{id}/snapshots/{snapshot}/records', { params }));
    },
    enabled: snapshot !== '',
  });

export const itemsQuery = (job: string) =>
  queryOptions({
    queryKey: ['backup-items', job],
    queryFn: async () =>
      taken(await api.GET('/api/v1/backup-jobs/{id}/items', { params: { path: { id: job } } })).items,
    refetchInterval: POLL_MS,
  });

export const ownBackupQuery = queryOptions({
  queryKey: ['own-backup'],
  queryFn: async () => taken(await api.GET('/api/v1/own-backup', {})),
  refetchInterval: POLL_MS * 2,
});
