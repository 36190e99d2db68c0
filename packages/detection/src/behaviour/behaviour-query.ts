const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

/** The lake's search for everything an entity did. */
export function entityQuery({ type, id }: { readonly type: string; readonly id: string }): string {
  const after = id.slice(id.indexOf(':') + 1);
  switch (type) {
    case 'person':
      return `actor.email:${quoted(id)}`;
    case 'account':
      return `product:${quoted(id.slice(0, id.indexOf(':')))} actor.id:${quoted(after)}`;
    case 'integration':
      return `integration:${quoted(id)}`;
    case 'oauth-app':
      return `product:${quoted(id.slice(0, id.indexOf(':')))} integration:${quoted(after)}`;
    case 'edge': {
      const [integration = '', app = ''] = id.split('>');
      return `integration:${quoted(integration)} app:${quoted(app)}`;
    }
    case 'network':
      return `src_ip:${id}`;
    default:
      return `target:${quoted(after.slice(after.indexOf(':') + 1))}`;
  }
}

/** The narrower search of one value of a facet; nothing where the search language has no field for it. */
export function valueQuery(facet: string, value: string): string {
  const field: Readonly<Record<string, string>> = {
    operation: 'operation',
    app: 'app',
    actor: 'actor',
    country: 'country',
  };
  if (facet === 'network') return `src_ip:${value}`;
  if (facet === 'resource') return `target:${quoted(value.slice(value.indexOf(':') + 1))}`;
  const name = field[facet];
  return name === undefined ? '' : `${name}:${quoted(value)}`;
}
