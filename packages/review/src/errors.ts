import { CordonError, type ErrorTable } from '@cordon/kernel';

export abstract class ReviewError extends CordonError {}

export class CampaignUnknown extends ReviewError {
  readonly code = 'review.campaign_unknown';
}

export class ReviewInputInvalid extends ReviewError {
  readonly code = 'review.input_invalid';
}

/** Decided, settled or closed already: what was decided on isn't decided again. */
export class ReviewConflict extends ReviewError {
  readonly code = 'review.conflict';
}

export class NotReviewer extends ReviewError {
  readonly code = 'review.not_reviewer';
}

export const reviewErrors: ErrorTable = {
  'review.campaign_unknown': { status: 404, expose: true, level: 'info' },
  'review.input_invalid': { status: 400, expose: true, level: 'info' },
  'review.conflict': { status: 409, expose: true, level: 'info' },
  'review.not_reviewer': { status: 403, expose: true, level: 'info' },
};
