/** The fields of the search language that the property filter offers, grouped; the lake knows more. */
interface FieldRow {
  readonly key: string;
  readonly label: string;
  readonly group: string;
  /** `number` is compared by size; `choice` has few values, and several may be picked at once. */
  readonly kind: 'text' | 'choice' | 'number' | 'id';
}

export const EVENT_FIELDS: readonly FieldRow[] = [
  { key: 'decision', label: 'Decision', group: 'Perimeter', kind: 'choice' },
  { key: 'reason', label: 'Reason', group: 'Perimeter', kind: 'choice' },
  { key: 'policy', label: 'Policy', group: 'Perimeter', kind: 'choice' },
  { key: 'data_class', label: 'Data class', group: 'Perimeter', kind: 'choice' },
  { key: 'redactions', label: 'Redactions', group: 'Perimeter', kind: 'number' },
  { key: 'gateway', label: 'Gateway', group: 'Perimeter', kind: 'choice' },
  { key: 'app', label: 'App', group: 'Who and what', kind: 'choice' },
  { key: 'integration', label: 'Integration', group: 'Who and what', kind: 'choice' },
  { key: 'actor', label: 'Person', group: 'Who and what', kind: 'text' },
  { key: 'target', label: 'Target', group: 'Who and what', kind: 'text' },
  { key: 'target.type', label: 'Target type', group: 'Who and what', kind: 'choice' },
  { key: 'operation', label: 'Operation', group: 'Call', kind: 'choice' },
  { key: 'method', label: 'Method', group: 'Call', kind: 'choice' },
  { key: 'path', label: 'Path', group: 'Call', kind: 'text' },
  { key: 'host', label: 'Host', group: 'Call', kind: 'text' },
  { key: 'http_status', label: 'HTTP status', group: 'Call', kind: 'number' },
  { key: 'latency', label: 'Latency (ms)', group: 'Call', kind: 'number' },
  { key: 'upstream_latency', label: 'Upstream latency (ms)', group: 'Call', kind: 'number' },
  { key: 'request_bytes', label: 'Bytes sent', group: 'Call', kind: 'number' },
  { key: 'response_bytes', label: 'Bytes received', group: 'Call', kind: 'number' },
  { key: 'src_ip', label: 'Source address', group: 'Call', kind: 'id' },
  { key: 'user_agent', label: 'User agent', group: 'Call', kind: 'text' },
  { key: 'country', label: 'Country', group: 'Known about it', kind: 'choice' },
  { key: 'asn', label: 'Network (AS number)', group: 'Known about it', kind: 'number' },
  { key: 'network', label: 'Kind of network', group: 'Known about it', kind: 'choice' },
  { key: 'threat', label: 'Threat list', group: 'Known about it', kind: 'choice' },
  { key: 'first_seen', label: 'First seen', group: 'Known about it', kind: 'choice' },
  { key: 'client', label: 'Client', group: 'Known about it', kind: 'choice' },
  { key: 'label', label: 'Label of its data', group: 'Known about it', kind: 'choice' },
  { key: 'class', label: 'Class', group: 'Event', kind: 'choice' },
  { key: 'severity', label: 'Severity', group: 'Event', kind: 'choice' },
  { key: 'status', label: 'Outcome', group: 'Event', kind: 'choice' },
  { key: 'source', label: 'Source', group: 'Event', kind: 'choice' },
  { key: 'product', label: 'Product', group: 'Event', kind: 'text' },
  { key: 'rule', label: 'Detection rule', group: 'Event', kind: 'choice' },
  { key: 'correlation', label: 'Correlation id', group: 'Event', kind: 'id' },
  { key: 'id', label: 'Event id', group: 'Event', kind: 'id' },
];

/** The side list, in this order. */
export const FACET_FIELDS = ['decision', 'integration', 'app', 'operation', 'reason', 'data_class', 'class'] as const;

export function fieldLabel(key: string): string {
  return EVENT_FIELDS.find((field) => field.key === key)?.label ?? key;
}
