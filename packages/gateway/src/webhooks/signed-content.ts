import type { DeliveryParts } from './delivery-parts.ts';

/** What a template may name besides plain text. */
const TOKEN = /\{(body|timestamp|id|method|url|decodedUrl|secret|form)\}/g;

export type ContentPart = { readonly text: Buffer } | { readonly token: string };

/** Cuts a template such as `v0:{timestamp}:{body}` into its parts, once for each scheme. */
export function parseContent(template: string): ContentPart[] {
  const parts: ContentPart[] = [];
  let at = 0;
  for (const match of template.matchAll(TOKEN)) {
    if (match.index > at) parts.push({ text: Buffer.from(template.slice(at, match.index)) });
    parts.push({ token: match[1]! });
    at = match.index + match[0].length;
  }
  if (at < template.length) parts.push({ text: Buffer.from(template.slice(at)) });
  return parts;
}

/** HubSpot's v3 signature is over the address with these, and only these, percent-encodings undone. */
const DECODED: Readonly<Record<string, string>> = {
  '%3A': ':',
  '%2F': '/',
  '%3F': '?',
  '%40': '@',
  '%21': '!',
  '%24': '$',
  '%27': "'",
  '%28': '(',
  '%29': ')',
  '%2A': '*',
  '%2C': ',',
  '%3B': ';',
};

function decodeUrl(url: string): string {
  return url.replace(/%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi, (code) => DECODED[code.toUpperCase()] ?? code);
}

/** Twilio: names in order, each followed by its values; several values of one name sorted, each once. */
function sortedForm(form: URLSearchParams): string {
  const names = [...new Set(form.keys())].sort();
  return names
    .map((name) =>
      [...new Set(form.getAll(name))]
        .sort()
        .map((value) => name + value)
        .join(''),
    )
    .join('');
}

export interface ContentFacts {
  readonly url: string;
  readonly timestamp: string;
  readonly id: string;
  readonly secret: Buffer;
}

/** The bytes that a vendor signed. */
export function buildContent(parts: readonly ContentPart[], delivery: DeliveryParts, facts: ContentFacts): Buffer[] {
  return parts.map((part) => {
    if ('text' in part) return part.text;
    switch (part.token) {
      case 'body':
        return delivery.delivery.body;
      case 'secret':
        return facts.secret;
      case 'form':
        return Buffer.from(sortedForm(delivery.form));
      case 'url':
        return Buffer.from(facts.url);
      case 'decodedUrl':
        return Buffer.from(decodeUrl(facts.url));
      case 'timestamp':
        return Buffer.from(facts.timestamp);
      case 'id':
        return Buffer.from(facts.id);
      default:
        return Buffer.from(delivery.delivery.method);
    }
  });
}
