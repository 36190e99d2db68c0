import { z } from 'zod';
import { evidence, expression, name, title } from './manifest-stream.ts';
import { requestTemplate } from './request-template.ts';

const CALLS_MAX = 10;

const call = z.strictObject({
  request: requestTemplate,
  when: expression.optional().describe('Over `{input, captured, config}`: only call when true.'),
  doneStatuses: z
    .array(z.int())
    .default([])
    .describe('Statuses outside 200-299 that mean "it was so already", such as 404 for a removal.'),
  doneCodes: z.array(z.string()).default([]).describe('Codes of `errorCode` that mean the same.'),
  capture: expression.optional().describe('Over the body: an object that joins `captured`.'),
});

const state = z.strictObject({
  request: requestTemplate.describe('Must only read.'),
  absentStatuses: z.array(z.int()).default([404]).describe('Statuses that say "not there": the body is null then.'),
  absentCodes: z.array(z.string()).default([]),
  done: expression.describe(
    'Over the body, with `$input`, `$captured`, `$status`: true when the action has taken effect.',
  ),
  capture: expression.optional().describe('Over the body: an object that undo needs, read before the first change.'),
  summary: expression.optional().describe('Over the body: what a dry run shows of the present state. No secrets.'),
});

const inputField = z.strictObject({
  title,
  kind: z.enum(['text', 'number', 'boolean', 'json']).default('text'),
  help: z.string().max(500).optional(),
  required: z.boolean().default(true),
});

export const ACTION_KINDS = [
  'revoke_grant',
  'suspend_user',
  'restore_user',
  'end_sessions',
  'reset_factors',
  'rotate_key',
  'revoke_key',
  'remove_member',
  'delete_record',
  'anonymise_record',
  'update_record',
  'create_record',
  'set_setting',
  'set_label',
  'unshare',
  'export',
  'restore',
  'other',
] as const;

export const actionSpec = z
  .strictObject({
    title,
    kind: z.enum(ACTION_KINDS).describe('What other parts of Cordon look for: a leaver asks for `suspend_user`.'),
    object: z.string().max(128).optional().describe('Of record actions: the data set, as in `record.object`.'),
    leaver: z
      .strictObject({
        of: z.enum(['account', 'credential', 'grant']).describe("Which of the person's entities it is run for."),
        input: z.record(name, z.string().min(1).max(128)).describe('Input → attribute of that entity, such as `id`.'),
      })
      .optional()
      .describe('Asked for when a person leaves, in the order of the manifest.'),
    input: z.record(name, inputField),
    preview: z.string().max(500).describe('What it would do, in a sentence with `{input.x}`.'),
    state: state.optional().describe('How to see whether it has taken effect; without it nothing can be verified.'),
    run: z.array(call).min(1).max(CALLS_MAX),
    undo: z.array(call).max(CALLS_MAX).default([]).describe('Empty: the tool has no way back.'),
    undoNote: z.string().max(500).optional().describe('What undo does not bring back.'),
    repeatable: z
      .boolean()
      .default(true)
      .describe('False: a second run does something more (a message is sent again), so an unclear end needs a person.'),
    result: expression.optional().describe('Over the last body: what the caller gets. No secrets.'),
    secret: expression.optional().describe('Over the last body: a new secret; sealed at once, shown to nobody.'),
    fromRecord: expression
      .optional()
      .describe(
        'Over a backed-up record (`id`, `object`, `parentId`, `title`, `content`): the input of this action. Makes it one that restores use.',
      ),
    fileBytesMax: z
      .int()
      .positive()
      .max(64 * 1024 * 1024)
      .optional()
      .describe('A restore gives it the bytes of the file, if they are so many at most; `upload` sends them.'),
    recordId: expression
      .optional()
      .describe('Over `result`: the id of the record that it made, as the stream gives it.'),
    risk: z.enum(['low', 'medium', 'high', 'critical']),
    plans: z.array(name).default([]),
    scopes: z.array(z.string().max(256)).default([]),
    evidence: evidence.optional(),
  })
  .superRefine((action, context) => {
    const { state: check } = action;
    if (check && check.request.method !== 'GET' && check.request.safe !== true) {
      context.addIssue({ code: 'custom', path: ['state'], message: 'must be a request that only reads' });
    }
    if (!check && !action.repeatable && action.undo.length > 0) {
      context.addIssue({
        code: 'custom',
        path: ['undo'],
        message: 'what can not be verified can not be undone safely',
      });
    }
  });
export type ActionSpec = z.output<typeof actionSpec>;
export type ActionCall = z.output<typeof call>;
