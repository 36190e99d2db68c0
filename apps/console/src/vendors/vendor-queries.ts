import type { paths } from '@cordon/client';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

type Ok<Path extends keyof paths, Method extends 'get'> = paths[Path][Method] extends {
  responses: { 200: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;

export type Vendor = Ok<'/api/v1/vendors', 'get'>['items'][number];
export type VendorDetail = Ok<'/api/v1/vendors/{id}', 'get'>;
export type Questionnaire = Ok<'/api/v1/questionnaires/{id}', 'get'>;
export type QuestionnaireRow = Ok<'/api/v1/vendors/{id}/questionnaires', 'get'>['items'][number];
export type Contract = Ok<'/api/v1/contracts/{id}', 'get'>;
export type FourthParty = Ok<'/api/v1/fourth-parties', 'get'>['items'][number];
export type Outline =
  paths['/api/v1/questionnaire-outlines']['post']['responses'][200]['content']['application/json']['items'][number];

export const vendorsQuery = queryOptions({
  queryKey: ['vendors'],
  queryFn: async () => taken(await api.GET('/api/v1/vendors')).items,
});

export const vendorQuery = (id: string) =>
  queryOptions({
    queryKey: ['vendors', id],
    queryFn: async () => taken(await api.GET('/api/v1/vendors/{id}', { params: { path: { id } } })),
  });

export const vendorQuestionnairesQuery = (id: string) =>
  queryOptions({
    queryKey: ['vendors', id, 'questionnaires'],
    queryFn: async () =>
      taken(await api.GET('/api/v1/vendors/{id}/questionnaires', { params: { path: { id } } })).items,
  });

export const vendorContractsQuery = (id: string) =>
  queryOptions({
    queryKey: ['vendors', id, 'contracts'],
    queryFn: async () => taken(await api.GET('/api/v1/vendors/{id}/contracts', { params: { path: { id } } })).items,
  });

export const questionnaireQuery = (id: string) =>
  queryOptions({
    queryKey: ['questionnaires', id],
    queryFn: async () => taken(await api.GET('/api/v1/questionnaires/{id}', { params: { path: { id } } })),
  });

export const contractQuery = (id: string) =>
  queryOptions({
    queryKey: ['contracts', id],
    queryFn: async () => taken(await api.GET('/api/v1/contracts/{id}', { params: { path: { id } } })),
  });

export const fourthPartiesQuery = queryOptions({
  queryKey: ['vendors', 'fourth-parties'],
  queryFn: async () => taken(await api.GET('/api/v1/fourth-parties')).items,
});
