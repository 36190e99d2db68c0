import type { paths } from '@cordon/client';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

type Ok<Path extends keyof paths> = paths[Path]['get'] extends {
  responses: { 200: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;

export type Attestation = Ok<'/api/v1/attestations/{id}'>;
export type Facts = NonNullable<Attestation['facts']>;
export type AttestationKind = Ok<'/api/v1/attestation-kinds'>['items'][number];
export type Audit = Ok<'/api/v1/vendors/{id}/audits'>['items'][number];
export type AuditRun = Audit['runs'][number];
export type Finding = Ok<'/api/v1/findings'>['items'][number];
export type FindingDetail = Ok<'/api/v1/findings/{id}'>;
export type Pentest = Ok<'/api/v1/vendors/{id}/pentests'>['items'][number];
export type FindingPolicy = Ok<'/api/v1/finding-policy'>;
export type FindingLink = Ok<'/api/v1/vendors/{id}/finding-links'>['items'][number];
export type FindingOutline = paths['/api/v1/finding-outlines']['post']['responses'][200]['content']['application/json'];

const path = (id: string) => ({ params: { path: { id } } });

export const attestationKindsQuery = queryOptions({
  queryKey: ['attestation-kinds'],
  queryFn: async () => taken(await api.GET('/api/v1/attestation-kinds')).items,
  staleTime: Number.POSITIVE_INFINITY,
});

export const vendorAttestationsQuery = (id: string) =>
  queryOptions({
    queryKey: ['vendors', id, 'attestations'],
    queryFn: async () => taken(await api.GET('/api/v1/vendors/{id}/attestations', path(id))),
  });

export const attestationQuery = (id: string) =>
  queryOptions({
    queryKey: ['attestations', id],
    queryFn: async () => taken(await api.GET('/api/v1/attestations/{id}', path(id))),
  });

export const checklistsQuery = queryOptions({
  queryKey: ['audit-checklists'],
  queryFn: async () => taken(await api.GET('/api/v1/audit-checklists')).items,
  staleTime: Number.POSITIVE_INFINITY,
});

export const vendorAuditsQuery = (id: string) =>
  queryOptions({
    queryKey: ['vendors', id, 'audits'],
    queryFn: async () => taken(await api.GET('/api/v1/vendors/{id}/audits', path(id))).items,
  });

export const vendorPentestsQuery = (id: string) =>
  queryOptions({
    queryKey: ['vendors', id, 'pentests'],
    queryFn: async () => taken(await api.GET('/api/v1/vendors/{id}/pentests', path(id))).items,
  });

export const vendorFindingsQuery = (vendorId: string) =>
  queryOptions({
    queryKey: ['vendors', vendorId, 'findings'],
    queryFn: async () => taken(await api.GET('/api/v1/findings', { params: { query: { vendorId } } })).items,
  });

export const findingQuery = (id: string) =>
  queryOptions({
    queryKey: ['findings', id],
    queryFn: async () => taken(await api.GET('/api/v1/findings/{id}', path(id))),
  });

export const findingLinksQuery = (id: string) =>
  queryOptions({
    queryKey: ['vendors', id, 'finding-links'],
    queryFn: async () => taken(await api.GET('/api/v1/vendors/{id}/finding-links', path(id))).items,
  });

export const findingPolicyQuery = queryOptions({
  queryKey: ['finding-policy'],
  queryFn: async () => taken(await api.GET('/api/v1/finding-policy')),
});
