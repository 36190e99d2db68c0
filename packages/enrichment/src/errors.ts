import { CordonError, type ErrorTable } from '@cordon/kernel';

export abstract class EnrichmentError extends CordonError {}

/** A file of networks (MMDB or CSV) that can't be read. */
export class NetworkFileInvalid extends EnrichmentError {
  readonly code = 'enrichment.file_invalid';
}

/** A list of indicators that holds none, or isn't in the form that was named. */
export class ThreatListInvalid extends EnrichmentError {
  readonly code = 'enrichment.list_invalid';
}

export class ThreatListUnknown extends EnrichmentError {
  readonly code = 'enrichment.list_unknown';
}

export const enrichmentErrors: ErrorTable = {
  'enrichment.file_invalid': { status: 400, expose: true, level: 'warn' },
  'enrichment.list_invalid': { status: 400, expose: true, level: 'info' },
  'enrichment.list_unknown': { status: 404, expose: true, level: 'info' },
};
