/** Attribute definitions (RFC 7643, sections 4, 5, 7): one table that parsing, filters, PATCH and `/Schemas` follow. */

export type AttributeType =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'decimal'
  | 'dateTime'
  | 'reference'
  | 'binary'
  | 'complex';

export interface Attribute {
  readonly name: string;
  readonly type: AttributeType;
  readonly description: string;
  readonly multiValued: boolean;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: 'readWrite' | 'readOnly' | 'immutable';
  readonly returned: 'default' | 'always' | 'request';
  readonly uniqueness: 'none' | 'server';
  readonly subAttributes: readonly Attribute[];
  readonly referenceTypes: readonly string[];
}

export interface Schema {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly attributes: readonly Attribute[];
}

export interface ResourceType {
  readonly name: 'User' | 'Group';
  readonly endpoint: '/Users' | '/Groups';
  readonly description: string;
  readonly core: Schema;
  readonly extensions: readonly Schema[];
}

export const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const GROUP_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const ENTERPRISE_SCHEMA = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

type Options = Partial<Omit<Attribute, 'name' | 'description'>>;

function define(name: string, description: string, options: Options = {}): Attribute {
  return {
    name,
    description,
    type: 'string',
    multiValued: false,
    required: false,
    caseExact: false,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    subAttributes: [],
    referenceTypes: [],
    ...options,
  };
}

/** A multi-valued attribute with the sub-attributes that RFC 7643, section 2.4 gives them all. */
function plural(name: string, description: string, value: Options = {}, more: readonly Attribute[] = []): Attribute {
  return define(name, description, {
    type: 'complex',
    multiValued: true,
    subAttributes: [
      define('value', 'The value.', value),
      define('display', 'A name for showing.'),
      define('type', 'What it is for, such as work or home.'),
      define('primary', 'Whether it is the preferred one.', { type: 'boolean' }),
      ...more,
    ],
  });
}

/** Attributes that every resource has (RFC 7643, section 3.1). */
export const COMMON_ATTRIBUTES: readonly Attribute[] = [
  define('id', 'Identifier given by Cordon.', {
    caseExact: true,
    mutability: 'readOnly',
    returned: 'always',
    uniqueness: 'server',
  }),
  define('externalId', 'Identifier given by the provisioning client.', { caseExact: true }),
  define('meta', 'About the resource.', {
    type: 'complex',
    mutability: 'readOnly',
    subAttributes: [
      define('resourceType', 'Its type.', { caseExact: true, mutability: 'readOnly' }),
      define('created', 'When it was made.', { type: 'dateTime', mutability: 'readOnly' }),
      define('lastModified', 'When it was last changed.', { type: 'dateTime', mutability: 'readOnly' }),
      define('location', 'Its address.', { type: 'reference', caseExact: true, mutability: 'readOnly' }),
      define('version', 'Its ETag.', { caseExact: true, mutability: 'readOnly' }),
    ],
  }),
];

const USER: Schema = {
  id: USER_SCHEMA,
  name: 'User',
  description: 'User Account',
  attributes: [
    define('userName', 'What the person signs in with.', { required: true, uniqueness: 'server' }),
    define('name', 'The parts of the name.', {
      type: 'complex',
      subAttributes: [
        define('formatted', 'The whole name.'),
        define('familyName', 'Family name.'),
        define('givenName', 'Given name.'),
        define('middleName', 'Middle name.'),
        define('honorificPrefix', 'Title before the name.'),
        define('honorificSuffix', 'Suffix after the name.'),
      ],
    }),
    define('displayName', 'The name to show.'),
    define('nickName', 'Casual name.'),
    define('profileUrl', 'Address of a profile.', { type: 'reference', caseExact: true, referenceTypes: ['external'] }),
    define('title', 'Job title.'),
    define('userType', 'Relation to the organisation, such as Contractor.'),
    define('preferredLanguage', 'Language tags.'),
    define('locale', 'Locale.'),
    define('timezone', 'Time zone.'),
    define('active', 'Whether the person may use Cordon.', { type: 'boolean' }),
    plural('emails', 'E-mail addresses.'),
    plural('phoneNumbers', 'Telephone numbers.'),
    plural('ims', 'Instant messaging addresses.'),
    plural('photos', 'Addresses of photos.', { type: 'reference', caseExact: true, referenceTypes: ['external'] }),
    define('addresses', 'Postal addresses.', {
      type: 'complex',
      multiValued: true,
      subAttributes: [
        define('formatted', 'The whole address.'),
        define('streetAddress', 'Street and number.'),
        define('locality', 'City.'),
        define('region', 'State or region.'),
        define('postalCode', 'Postal code.'),
        define('country', 'Country.'),
        define('type', 'What it is for.'),
        define('primary', 'Whether it is the preferred one.', { type: 'boolean' }),
      ],
    }),
    define('groups', 'Groups that the person is in; changed through the groups.', {
      type: 'complex',
      multiValued: true,
      mutability: 'readOnly',
      subAttributes: [
        define('value', 'Id of the group.', { caseExact: true, mutability: 'readOnly' }),
        define('$ref', 'Address of the group.', {
          type: 'reference',
          caseExact: true,
          mutability: 'readOnly',
          referenceTypes: ['Group'],
        }),
        define('display', 'Name of the group.', { mutability: 'readOnly' }),
        define('type', 'direct.', { mutability: 'readOnly' }),
      ],
    }),
    plural('entitlements', 'Entitlements.'),
    plural('roles', 'Roles in the directory. They give no rights in Cordon; roles come from groups.'),
    plural('x509Certificates', 'Certificates.', { type: 'binary', caseExact: true }),
  ],
};

const ENTERPRISE: Schema = {
  id: ENTERPRISE_SCHEMA,
  name: 'EnterpriseUser',
  description: 'Enterprise User',
  attributes: [
    define('employeeNumber', 'Number of the employee.'),
    define('costCenter', 'Cost centre.'),
    define('organization', 'Organisation.'),
    define('division', 'Division.'),
    define('department', 'Department.'),
    define('manager', 'The manager.', {
      type: 'complex',
      subAttributes: [
        define('value', 'Id of the manager.', { caseExact: true }),
        define('$ref', 'Address of the manager.', { type: 'reference', caseExact: true, referenceTypes: ['User'] }),
        define('displayName', 'Name of the manager.', { mutability: 'readOnly' }),
      ],
    }),
  ],
};

const GROUP: Schema = {
  id: GROUP_SCHEMA,
  name: 'Group',
  description: 'Group',
  attributes: [
    define('displayName', 'Name of the group.', { required: true }),
    define('members', 'Users in the group.', {
      type: 'complex',
      multiValued: true,
      subAttributes: [
        define('value', 'Id of the user.', { caseExact: true, mutability: 'immutable' }),
        define('$ref', 'Address of the user.', {
          type: 'reference',
          caseExact: true,
          mutability: 'immutable',
          referenceTypes: ['User'],
        }),
        define('display', 'Name of the user.', { mutability: 'readOnly' }),
        define('type', 'User.', { mutability: 'immutable' }),
      ],
    }),
  ],
};

/** An extension of a customer's own: extra attributes of people, under an id of their own. */
export interface ExtensionConfig {
  readonly id: string;
  readonly name: string;
  readonly attributes: readonly {
    readonly name: string;
    readonly type: 'string' | 'boolean' | 'integer' | 'dateTime';
    readonly multiValued: boolean;
    readonly description: string;
  }[];
}

/** Users and groups, with the customer's extension where there is one. */
export function resourceTypes(extension: ExtensionConfig | undefined): { User: ResourceType; Group: ResourceType } {
  const own: Schema[] = extension
    ? [
        {
          id: extension.id,
          name: extension.name,
          description: extension.name,
          attributes: extension.attributes.map(({ name, description, type, multiValued }) =>
            define(name, description, { type, multiValued }),
          ),
        },
      ]
    : [];
  return {
    User: {
      name: 'User',
      endpoint: '/Users',
      description: 'User Account',
      core: USER,
      extensions: [ENTERPRISE, ...own],
    },
    Group: { name: 'Group', endpoint: '/Groups', description: 'Group', core: GROUP, extensions: [] },
  };
}

/** Where an attribute is in a resource: the extension it belongs to, or the core. */
export interface FoundAttribute {
  readonly attribute: Attribute;
  readonly extension: string | null;
}

/** Finds an attribute by the name that a client used; names have no case (RFC 7643, section 2.1). */
export function findAttribute(type: ResourceType, urn: string | null, name: string): FoundAttribute | undefined {
  const wanted = name.toLowerCase();
  const schema = urn?.toLowerCase();
  if (schema === undefined || schema === type.core.id.toLowerCase()) {
    const attribute = [...COMMON_ATTRIBUTES, ...type.core.attributes].find((one) => one.name.toLowerCase() === wanted);
    return attribute && { attribute, extension: null };
  }
  const extension = type.extensions.find((one) => one.id.toLowerCase() === schema);
  const attribute = extension?.attributes.find((one) => one.name.toLowerCase() === wanted);
  return extension && attribute && { attribute, extension: extension.id };
}

export function findSubAttribute(attribute: Attribute, name: string): Attribute | undefined {
  const wanted = name.toLowerCase();
  return attribute.subAttributes.find((one) => one.name.toLowerCase() === wanted);
}
