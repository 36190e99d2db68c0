import { z } from 'zod';
import { ActionFailed } from '../errors.ts';
import { type ActContext, type AnyAction, defineAction, type Verdict } from './action.ts';

const TEXT_CHARS_MAX = 8_000;
const text = z.string().min(1).max(TEXT_CHARS_MAX);
const RECIPIENTS_MAX = 50;

/** Who gets a mail: addresses with commas between them, or a JSON list. */
const recipients = z.string().transform((given, context) => {
  const list = given
    .replaceAll(/[[\]"]/g, '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  if (list.length <= RECIPIENTS_MAX && list.every((one) => z.email().safeParse(one).success)) return list;
  context.addIssue('expected e-mail addresses with commas between them');
  return z.NEVER;
});

function messageAction(name: 'message.chat' | 'message.mail', title: string): AnyAction {
  return defineAction({
    name,
    title,
    effect: 'message',
    approval: name === 'message.mail' ? 'required' : 'none',
    input: z.strictObject({
      channel: z.string().min(1).max(100),
      to: recipients.default([]),
      subject: z.string().max(300).default(''),
      text,
    }),
    outputs: ['message'],
    repeatable: true,
    async run(input, { acts, key, caseId }) {
      await acts.sendMessage({
        key,
        caseId,
        channel: input.channel,
        to: input.to,
        subject: input.subject,
        text: input.text,
      });
      return { message: key };
    },
    async verify(_input, { reads, key }): Promise<Verdict> {
      const found = await reads.message(key);
      if (!found) return { state: 'absent' };
      return { state: 'done', result: { message: key }, proof: { message: key, status: found.status } };
    },
    simulate: (input) =>
      Promise.resolve({
        would: `send to ${input.to.join(', ') || input.channel}: ${input.subject || input.text.slice(0, 200)}`,
        result: { message: 'simulated' },
      }),
  });
}

function inCase<Input>(given: {
  readonly name: string;
  readonly title: string;
  readonly input: z.ZodType<Input>;
  readonly would: (input: Input) => string;
  readonly write: (input: Input, caseId: string, context: ActContext) => Promise<void>;
}): AnyAction {
  const caseOf = ({ caseId }: Pick<ActContext, 'caseId'>): string => {
    if (caseId === null) throw new ActionFailed('This run belongs to no case.');
    return caseId;
  };
  return defineAction<Input>({
    name: given.name,
    title: given.title,
    effect: 'change',
    approval: 'none',
    input: given.input,
    outputs: [],
    repeatable: true,
    async run(input, context) {
      await given.write(input, caseOf(context), context);
      return {};
    },
    async verify(_input, context) {
      const isThere = await context.reads.caseEntry(caseOf(context), context.key);
      return isThere ? { state: 'done', result: {}, proof: { entry: context.key } } : { state: 'absent' };
    },
    simulate: (input) => Promise.resolve({ would: given.would(input), result: {} }),
  });
}

export const caseActions: readonly AnyAction[] = [
  messageAction('message.chat', 'Tell a chat channel'),
  messageAction('message.mail', 'Send mail'),
  inCase({
    name: 'case.note',
    title: "Write into the case's timeline",
    input: z.strictObject({ text }),
    would: (input) => `note: ${input.text.slice(0, 200)}`,
    write: (input, caseId, { acts, key }) => acts.caseNote(caseId, key, input.text),
  }),
  inCase({
    name: 'case.task',
    title: 'Give the case a task',
    input: z.strictObject({ title: text.max(300), due_hours: z.coerce.number().int().min(1).max(8_760).optional() }),
    would: (input) => `task: ${input.title}`,
    write: (input, caseId, { acts, key }) =>
      acts.caseTask(caseId, key, { title: input.title, dueHours: input.due_hours ?? null }),
  }),
  inCase({
    name: 'case.mark',
    title: "Stop one of the case's clocks",
    input: z.strictObject({ mark: z.enum(['contained', 'recovered', 'notified']) }),
    would: (input) => `mark the case ${input.mark}`,
    write: (input, caseId, { acts, key }) => acts.caseMark(caseId, key, input.mark),
  }),
];
