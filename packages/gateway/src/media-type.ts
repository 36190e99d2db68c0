const TEXT_TYPES = new Set([
  'application/json',
  'application/xml',
  'application/x-www-form-urlencoded',
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/json-seq',
  'application/graphql',
  'application/javascript',
  'application/ecmascript',
  'application/yaml',
  'application/x-yaml',
  'application/toml',
  'application/sql',
  'application/rtf',
  'application/http',
  'application/x-sh',
  'image/svg+xml',
]);

/** `application/json; charset=utf-8` → `application/json`. */
export function essence(contentType: string): string {
  const semicolon = contentType.indexOf(';');
  return (semicolon === -1 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
}

/**
 * True for what people and programs read as text, and for what says nothing of itself: such bodies are held and
 * inspected. Images, archives, audio and the like pass unheld.
 */
export function isText(type: string): boolean {
  if (type === '') return true;
  if (type.startsWith('text/') || type.startsWith('multipart/') || type.startsWith('message/')) return true;
  return TEXT_TYPES.has(type) || type.endsWith('+json') || type.endsWith('+xml') || type.endsWith('+yaml');
}

export function isJson(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json');
}

/** Never-ending by design: each part is passed on when it comes. */
export function isEventStream(type: string): boolean {
  return type === 'text/event-stream' || type === 'application/stream+json' || type === 'multipart/x-mixed-replace';
}
