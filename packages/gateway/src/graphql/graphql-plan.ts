import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import type { GraphqlSettings } from '@cordon/policy';
import { Refusal } from '../errors.ts';
import { type GraphqlKind, graphqlOperationId } from './graphql-operation-id.ts';

type Json = Record<string, unknown>;

/** One operation that a document performs, as grants name it. */
export interface PlannedOperation {
  readonly id: string;
  /** Arguments on the way from the root, by name; what has two values is left out, so that no scope holds for it. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface GraphqlPlan {
  readonly kind: GraphqlKind;
  readonly document: DocumentNode;
  readonly operations: readonly PlannedOperation[];
  /** Texts that stand in the document itself, by the path of their argument. */
  readonly literals: Readonly<Record<string, string>>;
  readonly depth: number;
  readonly fields: number;
  readonly cost: number;
}

const LITERALS_MAX = 1000;
const PARAMETER_CHARS_MAX = 512;
/** Page sizes by which lists are asked for; their product is what a document costs. */
const PAGE_ARGUMENTS = new Set(['first', 'last', 'limit', 'pageSize', 'perPage', 'take']);
/** Relay's connections: plumbing that is no part of a field's name below the root. */
const PLUMBING = new Set(['edges', 'nodes', 'pageInfo']);

export function invalidDocument(why: string): Refusal {
  return new Refusal('gateway.graphql_invalid', `The GraphQL document is not valid: ${why}.`);
}

function tooLarge(what: string, max: number): Refusal {
  return new Refusal('gateway.graphql_too_large', `The GraphQL document ${what}; this app allows ${max}.`, {
    detail: { max },
  });
}

/** @throws {Refusal} for what is no executable document within the limits. */
export function parseDocument(text: string, settings: GraphqlSettings): DocumentNode {
  if (Buffer.byteLength(text) > settings.documentBytesMax) throw tooLarge('is too long', settings.documentBytesMax);
  let document: DocumentNode;
  try {
    document = parse(text, { noLocation: true, maxTokens: settings.tokensMax });
  } catch (error) {
    // A document that nests thousands deep ends the parser's stack, which is as invalid as any.
    const why = error instanceof RangeError ? 'it nests too deeply' : error instanceof Error ? error.message : '';
    throw invalidDocument(
      why
        .replace(/^Syntax Error: /, '')
        .replace(/\.$/, '')
        .slice(0, 200),
    );
  }
  for (const { kind } of document.definitions) {
    if (kind !== 'OperationDefinition' && kind !== 'FragmentDefinition') throw invalidDocument('it defines types');
  }
  return document;
}

function selectOperation(document: DocumentNode, name: string | undefined): OperationDefinitionNode {
  const operations = document.definitions.filter((one) => one.kind === 'OperationDefinition');
  const names = operations.map((one) => one.name?.value);
  if (new Set(names).size < names.length) throw invalidDocument('two operations have one name');
  if (operations.length > 1 && names.includes(undefined))
    throw invalidDocument('an operation beside others has no name');
  const found = name === undefined ? operations : operations.filter((one) => one.name?.value === name);
  const [operation] = found;
  if (!operation)
    throw invalidDocument(name === undefined ? 'it has no operation' : 'no operation has the name of operationName');
  if (found.length > 1) throw invalidDocument('it has several operations and operationName names none');
  return operation;
}

function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) {
    if (one.kind !== 'FragmentDefinition') continue;
    if (fragments.has(one.name.value)) throw invalidDocument('two fragments have one name');
    fragments.set(one.name.value, one);
  }
  return fragments;
}

/** Where in a document the walk is. */
interface Place {
  readonly path: readonly string[];
  readonly parent: string | undefined;
  readonly depth: number;
  readonly factor: number;
  readonly parameters: Readonly<Record<string, string | null>>;
  readonly spread: readonly string[];
}

class Walk {
  fields = 0;
  aliases = 0;
  directives = 0;
  cost = 0;
  depth = 0;
  readonly literals: Record<string, string> = {};
  readonly found = new Map<string, Record<string, string | null>>();
  readonly #settings: GraphqlSettings;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #variables: Json;
  readonly #kind: GraphqlKind;
  #literalCount = 0;

  constructor(
    kind: GraphqlKind,
    settings: GraphqlSettings,
    fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    variables: Json,
  ) {
    this.#kind = kind;
    this.#settings = settings;
    this.#fragments = fragments;
    this.#variables = variables;
  }

  set(node: SelectionSetNode, place: Place): void {
    const { depthMax } = this.#settings;
    if (place.depth > depthMax) throw tooLarge('nests too deeply', depthMax);
    this.depth = Math.max(this.depth, place.depth);
    for (const selection of node.selections) {
      this.#count(
        'directives',
        selection.directives?.length ?? 0,
        this.#settings.directivesMax,
        'has too many directives',
      );
      if (selection.kind === 'Field') this.#field(selection, place);
      else if (selection.kind === 'InlineFragment') this.#spread(selection.selectionSet, place);
      else this.#named(selection.name.value, place);
    }
  }

  /** Each spread counts, so that fragments within fragments can't multiply unseen; the walk ends at the limit. */
  #spread(node: SelectionSetNode, place: Place): void {
    this.#count('fields', 1, this.#settings.fieldsMax, 'asks for too many fields');
    this.set(node, place);
  }

  #named(name: string, place: Place): void {
    const fragment = this.#fragments.get(name);
    if (!fragment) throw invalidDocument(`there is no fragment ${name.slice(0, 64)}`);
    if (place.spread.includes(name)) throw invalidDocument('a fragment contains itself');
    this.#count(
      'directives',
      fragment.directives?.length ?? 0,
      this.#settings.directivesMax,
      'has too many directives',
    );
    this.#spread(fragment.selectionSet, { ...place, spread: [...place.spread, name] });
  }

  #count(what: 'fields' | 'aliases' | 'directives', by: number, max: number, message: string): void {
    this[what] += by;
    if (this[what] > max) throw tooLarge(message, max);
  }

  #field(node: FieldNode, place: Place): void {
    const { settings, name } = { settings: this.#settings, name: node.name.value };
    this.#count('fields', 1, settings.fieldsMax, 'asks for too many fields');
    if (node.alias) this.#count('aliases', 1, settings.aliasesMax, 'has too many aliases');
    if (name === '__typename') return;
    const isRoot = place.path.length === 0;
    if (name.startsWith('__') && settings.introspection !== 'allow') {
      throw new Refusal(
        'gateway.graphql_introspection_refused',
        'This app does not let integrations ask for its schema.',
      );
    }
    const parameters = this.#parameters(node, place);
    const isPlumbing = !isRoot && (PLUMBING.has(name) || (name === 'node' && place.parent === 'edges'));
    const path = isPlumbing ? place.path : [...place.path, name];
    if (isRoot && this.#kind !== 'query') this.#note(path, parameters);
    if (!node.selectionSet)
      return this.#note(isRoot ? path : place.path, isRoot ? parameters : merge(place.parameters, parameters));
    const factor = place.factor * this.#pageSize(node);
    this.cost += factor;
    if (this.cost > settings.costMax) throw tooLarge('asks for too many objects', settings.costMax);
    // Nothing but __typename below would otherwise be nobody's operation.
    if (selectsNothing(node.selectionSet)) this.#note(path, parameters);
    this.set(node.selectionSet, {
      path,
      parent: name,
      depth: place.depth + 1,
      factor,
      parameters,
      spread: place.spread,
    });
  }

  #note(path: readonly string[], parameters: Readonly<Record<string, string | null>>): void {
    const id = graphqlOperationId(this.#kind, path);
    const known = this.found.get(id);
    this.found.set(id, known ? meet(known, parameters) : { ...parameters });
  }

  #pageSize(node: FieldNode): number {
    let size = 1;
    for (const argument of node.arguments ?? []) {
      if (!PAGE_ARGUMENTS.has(argument.name.value)) continue;
      const value = this.#value(argument.value);
      if (typeof value === 'number' && value > size) size = value;
    }
    return size;
  }

  #parameters(node: FieldNode, place: Place): Record<string, string | null> {
    const found: Record<string, string | null> = {};
    for (const { name, value } of node.arguments ?? []) {
      this.#literal(value, `${[...place.path, node.name.value].join('/')}/${name.value}`);
      addParameter(found, name.value, this.#value(value));
    }
    return merge(place.parameters, found);
  }

  /** Keeps texts of the document itself, which stand in no variable, for those who look for attacks in values. */
  #literal(value: ValueNode, at: string): void {
    if (value.kind === 'StringValue' && this.#literalCount < LITERALS_MAX) {
      this.literals[`${at}/${this.#literalCount++}`] = value.value;
    } else if (value.kind === 'ListValue') for (const item of value.values) this.#literal(item, at);
    else if (value.kind === 'ObjectValue')
      for (const item of value.fields) this.#literal(item.value, `${at}/${item.name.value}`);
  }

  #value(node: ValueNode): unknown {
    switch (node.kind) {
      case 'Variable':
        return Object.hasOwn(this.#variables, node.name.value) ? this.#variables[node.name.value] : undefined;
      case 'IntValue':
      case 'FloatValue':
        return Number(node.value);
      case 'StringValue':
      case 'EnumValue':
      case 'BooleanValue':
        return node.value;
      case 'ObjectValue':
        return Object.fromEntries(node.fields.map((field) => [field.name.value, this.#value(field.value)]));
      default:
        return undefined;
    }
  }
}

function selectsNothing(node: SelectionSetNode): boolean {
  return node.selections.every((one) => one.kind === 'Field' && one.name.value === '__typename');
}

/** Scalars by name, and those of an input object by `input.teamId`. */
function addParameter(found: Record<string, string | null>, name: string, value: unknown): void {
  if (typeof value === 'string' && value.length <= PARAMETER_CHARS_MAX) found[name] = value;
  else if (typeof value === 'number' || typeof value === 'boolean') found[name] = String(value);
  else if (typeof value === 'object' && value !== null && !Array.isArray(value) && !name.includes('.')) {
    for (const [key, item] of Object.entries(value)) addParameter(found, `${name}.${key}`, item);
  }
}

/** Arguments further down add to those above; one name with two values has none. */
function merge(
  above: Readonly<Record<string, string | null>>,
  own: Readonly<Record<string, string | null>>,
): Record<string, string | null> {
  const merged: Record<string, string | null> = { ...above };
  for (const [name, value] of Object.entries(own)) {
    merged[name] = Object.hasOwn(above, name) && above[name] !== value ? null : value;
  }
  return merged;
}

/** The same operation twice, under two aliases: only what holds for both holds. */
function meet(
  one: Readonly<Record<string, string | null>>,
  other: Readonly<Record<string, string | null>>,
): Record<string, string | null> {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...names].map((name) => [name, one[name] === other[name] ? (one[name] ?? null) : null]));
}

function withDefaults(operation: OperationDefinitionNode, given: Json): Json {
  const variables: Json = { ...given };
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    if (Object.hasOwn(variables, name) || !defaultValue) continue;
    if (defaultValue.kind === 'IntValue' || defaultValue.kind === 'FloatValue')
      variables[name] = Number(defaultValue.value);
    else if ('value' in defaultValue) variables[name] = defaultValue.value;
  }
  return variables;
}

/**
 * What one request of a document comes to: the operations that grants and policies are asked about, and its size.
 *
 * An operation is the path of a field from the root, without Relay's plumbing; it is named when a scalar of its object
 * is selected. `{ repository(owner: "acme", name: "web") { issues(first: 10) { nodes { title } } } }` is
 * `graphql.query.repository.issues`. Root fields of mutations and subscriptions are always named.
 *
 * @throws {Refusal}
 */
export function planDocument(
  document: DocumentNode,
  request: { readonly operationName: string | undefined; readonly variables: Json },
  settings: GraphqlSettings,
): GraphqlPlan {
  const operation = selectOperation(document, request.operationName);
  const kind = operation.operation;
  const walk = new Walk(kind, settings, fragmentsOf(document), withDefaults(operation, request.variables));
  const roots = operation.selectionSet.selections.length;
  if (roots > settings.rootFieldsMax) throw tooLarge('has too many root fields', settings.rootFieldsMax);
  const start: Place = { path: [], parent: undefined, depth: 1, factor: 1, parameters: {}, spread: [] };
  walk.set(operation.selectionSet, start);
  const operations = [...walk.found].map(([id, parameters]): PlannedOperation => ({
    id,
    parameters: Object.fromEntries(
      Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== null),
    ),
  }));
  if (operations.length === 0) operations.push({ id: graphqlOperationId(kind, ['__typename']), parameters: {} });
  const { literals, depth, fields, cost } = walk;
  return { kind, document, operations, literals, depth, fields, cost };
}
