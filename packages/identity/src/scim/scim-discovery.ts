import { BULK_OPERATIONS_MAX } from './scim-bulk.ts';
import { LIST_SCHEMA, PAGE_DEFAULT, PAGE_MAX } from './scim-list.ts';
import { SCIM_PATH } from './scim-render.ts';
import type { Attribute, ResourceType, Schema } from './scim-schema.ts';

const CONFIG_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig';
const TYPE_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:ResourceType';
const SCHEMA_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Schema';
export const SCIM_BODY_BYTES_MAX = 1024 * 1024;

type Document = Record<string, unknown>;

function asList(documents: readonly Document[]): Document {
  return {
    schemas: [LIST_SCHEMA],
    totalResults: documents.length,
    itemsPerPage: documents.length,
    startIndex: 1,
    Resources: documents,
  };
}

/** What this server can do (RFC 7643, section 5; `pagination` from RFC 9865, section 4). */
export function serviceProviderConfig(publicUrl: string): Document {
  return {
    schemas: [CONFIG_SCHEMA],
    patch: { supported: true },
    bulk: { supported: true, maxOperations: BULK_OPERATIONS_MAX, maxPayloadSize: SCIM_BODY_BYTES_MAX },
    filter: { supported: true, maxResults: PAGE_MAX },
    changePassword: { supported: false },
    sort: { supported: true },
    etag: { supported: true },
    pagination: {
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: PAGE_DEFAULT,
      maxPageSize: PAGE_MAX,
    },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'Bearer token',
        description: 'A SCIM token made by an owner of Cordon.',
        specUri: 'https://www.rfc-editor.org/rfc/rfc6750',
        primary: true,
      },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${publicUrl}${SCIM_PATH}/ServiceProviderConfig` },
  };
}

function renderAttribute(attribute: Attribute): Document {
  const isText = attribute.type === 'string' || attribute.type === 'reference' || attribute.type === 'binary';
  return {
    name: attribute.name,
    type: attribute.type,
    multiValued: attribute.multiValued,
    description: attribute.description,
    required: attribute.required,
    ...(isText ? { caseExact: attribute.caseExact } : {}),
    mutability: attribute.mutability,
    returned: attribute.returned,
    uniqueness: attribute.uniqueness,
    ...(attribute.referenceTypes.length === 0 ? {} : { referenceTypes: attribute.referenceTypes }),
    ...(attribute.subAttributes.length === 0 ? {} : { subAttributes: attribute.subAttributes.map(renderAttribute) }),
  };
}

function renderSchema(publicUrl: string, schema: Schema): Document {
  return {
    schemas: [SCHEMA_SCHEMA],
    id: schema.id,
    name: schema.name,
    description: schema.description,
    attributes: schema.attributes.map(renderAttribute),
    meta: { resourceType: 'Schema', location: `${publicUrl}${SCIM_PATH}/Schemas/${schema.id}` },
  };
}

function renderType(publicUrl: string, type: ResourceType): Document {
  return {
    schemas: [TYPE_SCHEMA],
    id: type.name,
    name: type.name,
    endpoint: type.endpoint,
    description: type.description,
    schema: type.core.id,
    schemaExtensions: type.extensions.map(({ id }) => ({ schema: id, required: false })),
    meta: { resourceType: 'ResourceType', location: `${publicUrl}${SCIM_PATH}/ResourceTypes/${type.name}` },
  };
}

export interface Discovery {
  readonly config: Document;
  readonly types: Document;
  readonly schemas: Document;
  type(name: string): Document | undefined;
  schema(id: string): Document | undefined;
}

export function createDiscovery(publicUrl: string, types: readonly ResourceType[]): Discovery {
  const schemas = types.flatMap((type) => [type.core, ...type.extensions]);
  const renderedTypes = types.map((type) => renderType(publicUrl, type));
  const renderedSchemas = schemas.map((schema) => renderSchema(publicUrl, schema));
  return {
    config: serviceProviderConfig(publicUrl),
    types: asList(renderedTypes),
    schemas: asList(renderedSchemas),
    type: (name) => renderedTypes.find((type) => type['id'] === name),
    schema: (id) => renderedSchemas.find((schema) => String(schema['id']).toLowerCase() === id.toLowerCase()),
  };
}
