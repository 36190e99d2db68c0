import type { Migrations } from '@cordon/kernel';

export { advanceCampaigns } from './advance.ts';
export {
  type Campaign,
  CAMPAIGN_STATES,
  campaignInput,
  type Candidate,
  evidenceSchema,
  type Item,
  ITEM_KINDS,
  ITEM_STATES,
  type ItemEvidence,
  type ItemOutcome,
  personInput,
  type Reviewer,
  scopeInput,
} from './campaign.ts';
export { reviewErrors } from './errors.ts';
export type { ReviewPorts } from './ports.ts';
export { createReviewCommands, type ReviewCommands } from './review-commands.ts';
export { createReviewWorkflow, type ReviewActPorts, reviewWorkflow } from './review-workflow.ts';

export const reviewMigrations: Migrations = {
  name: 'review',
  folder: new URL('../migrations/', import.meta.url),
};
