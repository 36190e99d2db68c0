import type { WebhookPlace } from '@cordon/policy';
import { isJson } from '../media-type.ts';

/** A delivery as it came, for the parts that look into it. */
export interface Delivery {
  readonly method: string;
  /** Addresses that the vendor may have signed: the public one first, then as the request names it. */
  readonly urls: readonly string[];
  readonly query: URLSearchParams;
  /** Media type without parameters, lower case. */
  readonly type: string;
  readonly body: Buffer;
  header(name: string): string | undefined;
}

const FORM = 'application/x-www-form-urlencoded';

/** Reads values out of a delivery; body and form are parsed once, when something asks. */
export class DeliveryParts {
  readonly delivery: Delivery;
  #json: unknown;
  #form: URLSearchParams | undefined;
  #isParsed = false;

  constructor(delivery: Delivery) {
    this.delivery = delivery;
  }

  get isForm(): boolean {
    return this.delivery.type === FORM;
  }

  get form(): URLSearchParams {
    this.#form ??= new URLSearchParams(this.isForm ? this.delivery.body.toString('utf8') : '');
    return this.#form;
  }

  /** The body as JSON; undefined when it isn't any. */
  get json(): unknown {
    if (this.#isParsed) return this.#json;
    this.#isParsed = true;
    const { type, body } = this.delivery;
    if (!isJson(type) && type !== '') return undefined;
    try {
      this.#json = JSON.parse(body.toString('utf8'));
    } catch {
      this.#json = undefined;
    }
    return this.#json;
  }

  /** A value as text; undefined when it isn't there or is no text, number or truth value. */
  read(place: WebhookPlace, signature: ReadonlyMap<string, string>): string | undefined {
    switch (place.from) {
      case 'header':
        return this.delivery.header(place.name);
      case 'query':
        return this.delivery.query.get(place.name) ?? undefined;
      case 'signature':
        return signature.get(place.key);
      default:
        return this.isForm ? (this.form.get(place.path) ?? undefined) : textAt(this.json, place.path);
    }
  }

  first(places: readonly WebhookPlace[], signature: ReadonlyMap<string, string>): string | undefined {
    for (const place of places) {
      const value = this.read(place, signature);
      if (value !== undefined && value !== '') return value;
    }
    return undefined;
  }
}

function textAt(root: unknown, path: string): string | undefined {
  let value = root;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = Reflect.get(value, name);
  }
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
