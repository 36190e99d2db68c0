import { type Actor, kernelMigrations, migrate, readAudit, type Transaction, type WorkflowSteps } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { advanceCampaigns } from './advance.ts';
import type { CampaignInput, Candidate, Item, ItemOutcome } from './campaign.ts';
import { reviewMigrations } from './index.ts';
import { createReviewCommands, type ReviewCommands } from './review-commands.ts';
import { createReviewWorkflow } from './review-workflow.ts';

const DAY_MS = 86_400_000;
const NOW = 1_790_000_000_000;
const ADA: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['owner'] };
const BOB: Actor = { kind: 'person', id: 'p2', name: 'Bob', roles: ['developer'] };
const EVE: Actor = { kind: 'person', id: 'p3', name: 'Eve', roles: ['developer'] };
const AUDITOR: Actor = { kind: 'person', id: 'p4', name: 'Aud', roles: ['auditor'] };
const bob = { id: 'p2', name: 'Bob', email: 'bob@meridian.example' };
const ada = { id: 'p1', name: 'Ada', email: 'ada@meridian.example' };
const steps: WorkflowSteps = { step: (_name, work) => work(), sleep: async () => undefined, workflowId: 'w' };

let home: TestDatabase;
let clock: ReturnType<typeof createFakeClock>;
let reviews: ReviewCommands;
let enqueued: { id: string; input: unknown }[];
let mails: { to: string; subject: string; path: string }[];
let candidates: Candidate[];
let acted: string[];
let answer: (item: Item) => ItemOutcome;

const candidate = (key: string, more: Partial<Candidate> = {}): Candidate => ({
  key,
  kind: 'grant',
  name: `${key} on Slack`,
  app: 'Slack',
  holder: key,
  owner: bob,
  evidence: {
    granted: ['a', 'b'],
    used: ['a'],
    unused: ['b'],
    days: 90,
    calls: 4,
    lastUsedAt: NOW,
    since: 1,
    why: ['1 unused'],
    risk: 40,
  },
  act: { act: 'remove_grant', grantId: key },
  task: null,
  ...more,
});

const mail = async (_tx: Transaction, one: { to: string; subject: string; path: string }) => void mails.push(one);
const workflows = {
  enqueue: async (_tx: Transaction, _definition: unknown, id: string, input: unknown) =>
    void enqueued.push({ id, input }),
};

beforeEach(async () => {
  home = await createTestDatabase();
  await migrate(home.db, [kernelMigrations, reviewMigrations]);
  clock = createFakeClock(NOW);
  [enqueued, mails, acted, candidates] = [[], [], [], [candidate('one'), candidate('two')]];
  answer = () => ({ state: 'done', detail: 'removed' });
  reviews = createReviewCommands({ db: home.db, clock, workflows, ports: { gather: async () => candidates, mail } });
});
afterEach(() => home.drop());

const workflow = () =>
  createReviewWorkflow({
    db: home.db,
    clock,
    logger: createTestLogger(),
    pause: async () => undefined,
    ports: {
      async carryOut(item, _act, key) {
        acted.push(key);
        return answer(item);
      },
    },
  });
const input = (more: Partial<CampaignInput> = {}): CampaignInput => ({
  name: 'Quarterly',
  scope: { kind: 'all' },
  dueAt: NOW + 14 * DAY_MS,
  onUndecided: 'revoke',
  fallback: ada,
  ...more,
});
const advance = () => advanceCampaigns({ db: home.db, clock, workflows, mail });
const itemsOf = async (id: string) => (await reviews.show(ADA, id)).items;
const actions = async () => (await readAudit(home.db, { limit: 100, after: 0 })).map(({ action }) => action);

test('reviewers are told, decide on what they saw, and what is revoked is taken away at once', async () => {
  const { id } = await reviews.create(ADA, input());
  expect(mails).toMatchObject([{ to: 'bob@meridian.example', path: `/reviews/${id}` }]);
  const [one, two] = await itemsOf(id);
  await reviews.decide(BOB, id, { items: [one!.id], decision: 'revoke', reason: 'nobody needs it' });
  expect(enqueued.map((entry) => entry.input)).toEqual([{ campaignId: id }]);
  await workflow().run({ campaignId: id }, steps);
  expect(acted).toEqual([`review:${one!.id}`]);
  expect(await reviews.decide(BOB, id, { items: [two!.id], decision: 'keep', reason: 'used each day' })).toMatchObject({
    state: 'closing',
  });
  await workflow().run({ campaignId: id }, steps);
  const { campaign, items } = await reviews.show(ADA, id);
  expect(campaign).toMatchObject({ state: 'closed', counts: { open: 0, done: 1, kept: 1 } });
  expect(items.find((item) => item.id === one!.id)).toMatchObject({
    state: 'done',
    detail: 'removed',
    decidedBy: 'Bob',
  });
  expect((await actions()).filter((action) => action === 'review.item_done').length).toBe(1);
});

test.each([
  ['a stranger', EVE, 'review.not_reviewer'],
  ['an auditor', AUDITOR, 'review.not_reviewer'],
])('%s decides nothing', async (_who, actor, code) => {
  const { id } = await reviews.create(ADA, input());
  const [one] = await itemsOf(id);
  await expect(
    reviews.decide(actor, id, { items: [one!.id], decision: 'keep', reason: 'because' }),
  ).rejects.toMatchObject({ code });
});

test('only who may begins one, and a reviewer sees their own items alone', async () => {
  await expect(reviews.create(BOB, input())).rejects.toMatchObject({ code: 'kernel.access_denied' });
  candidates = [candidate('one'), candidate('two', { owner: ada })];
  const { id } = await reviews.create(ADA, input());
  expect((await reviews.show(BOB, id)).items.map(({ key }) => key)).toEqual(['one']);
  await expect(reviews.show(EVE, id)).rejects.toMatchObject({ code: 'review.not_reviewer' });
  expect(await reviews.list(EVE)).toEqual([]);
  await expect(reviews.csv(BOB, id)).rejects.toMatchObject({ code: 'kernel.access_denied' });
});

test('a decision is made once', async () => {
  const { id } = await reviews.create(ADA, input());
  const [one] = await itemsOf(id);
  await reviews.decide(BOB, id, { items: [one!.id], decision: 'keep', reason: 'needed' });
  const again = reviews.decide(BOB, id, { items: [one!.id], decision: 'revoke', reason: 'not needed' });
  await expect(again).rejects.toMatchObject({ code: 'review.conflict' });
});

test('delegation hands the item over, with a mail, and takes it from the first', async () => {
  const { id } = await reviews.create(ADA, input());
  const [one] = await itemsOf(id);
  const to = { id: 'p3', name: 'Eve', email: 'eve@meridian.example' };
  await reviews.delegate(BOB, id, { items: [one!.id], to, reason: 'knows it better' });
  expect(mails.at(-1)).toMatchObject({ to: 'eve@meridian.example' });
  const byBob = reviews.decide(BOB, id, { items: [one!.id], decision: 'keep', reason: 'needed' });
  await expect(byBob).rejects.toMatchObject({ code: 'review.not_reviewer' });
  await reviews.decide(EVE, id, { items: [one!.id], decision: 'keep', reason: 'needed' });
  expect((await itemsOf(id)).find((item) => item.id === one!.id)).toMatchObject({
    delegatedBy: 'Bob',
    decidedBy: 'Eve',
    state: 'kept',
  });
});

test('reminded, told beforehand, and only then taken away', async () => {
  const { id } = await reviews.create(ADA, input());
  expect(await advance()).toBe(0);
  clock.advance(4 * DAY_MS);
  expect(await advance()).toBe(1);
  expect(mails.at(-1)?.subject).toBe('2 accesses still wait for your review');
  expect(await advance()).toBe(0);
  clock.set(NOW + 11 * DAY_MS);
  await advance();
  expect(mails.at(-1)?.subject).toMatch(/^Notice: 2 accesses are taken away on /);
  expect((await reviews.show(ADA, id)).campaign.state).toBe('noticed');
  clock.set(NOW + 14 * DAY_MS + 1);
  await advance();
  expect((await reviews.show(ADA, id)).campaign).toMatchObject({ state: 'closing', counts: { waiting: 2 } });
  await workflow().run({ campaignId: id }, steps);
  const { campaign, items } = await reviews.show(ADA, id);
  expect(campaign.state).toBe('closed');
  expect(items.map(({ decidedBy, state }) => [decidedBy, state])).toEqual([
    ['policy of the review', 'done'],
    ['policy of the review', 'done'],
  ]);
});

test('a notice that came late moves the end: nobody loses access without it', async () => {
  const { id } = await reviews.create(ADA, input());
  // Cordon was off for a month.
  clock.set(NOW + 30 * DAY_MS);
  await advance();
  expect((await reviews.show(ADA, id)).campaign.state).toBe('noticed');
  clock.advance(2 * DAY_MS);
  await advance();
  expect((await reviews.show(ADA, id)).campaign.state).toBe('noticed');
  clock.advance(DAY_MS + 1);
  await advance();
  expect((await reviews.show(ADA, id)).campaign.state).toBe('closing');
});

test('where the policy says keep, nothing is taken away', async () => {
  const { id } = await reviews.create(ADA, input({ onUndecided: 'keep' }));
  clock.set(NOW + 11 * DAY_MS);
  await advance();
  clock.set(NOW + 15 * DAY_MS);
  await advance();
  await workflow().run({ campaignId: id }, steps);
  expect((await reviews.show(ADA, id)).campaign).toMatchObject({ state: 'closed', counts: { kept: 2, done: 0 } });
  expect(acted).toEqual([]);
});

test('killed in the middle: what was done is not done again, the rest is', async () => {
  candidates = ['one', 'two', 'three'].map((key) => candidate(key));
  const { id } = await reviews.create(ADA, input());
  const ids = (await itemsOf(id)).map((item) => item.id);
  await reviews.decide(BOB, id, { items: ids, decision: 'revoke', reason: 'all of it' });
  let isAlive = true;
  answer = () => {
    if (acted.length === 2 && isAlive) {
      isAlive = false;
      // The process ends here: the act is done, its record is not written.
      throw Object.assign(new Error('killed'), { killed: true });
    }
    return { state: 'done', detail: 'removed' };
  };
  await workflow().run({ campaignId: id }, steps);
  await workflow().run({ campaignId: id }, steps);
  const counts = Map.groupBy(acted, (key) => key);
  expect([...counts.values()].map((calls) => calls.length).toSorted((a, b) => a - b)).toEqual([1, 1, 2]);
  expect((await reviews.show(ADA, id)).campaign).toMatchObject({ state: 'closed', counts: { done: 3 } });
  expect((await actions()).filter((action) => action === 'review.item_done').length).toBe(3);
});

test('what stays away fails openly and is tried again by a person', async () => {
  const { id } = await reviews.create(ADA, input());
  const [one] = await itemsOf(id);
  answer = () => {
    throw new Error('The tool answered 503.');
  };
  await reviews.decide(BOB, id, { items: [one!.id], decision: 'revoke', reason: 'no need' });
  await workflow().run({ campaignId: id }, steps);
  expect((await itemsOf(id))[0]).toMatchObject({ state: 'failed', detail: 'The tool answered 503.' });
  answer = () => ({ state: 'done', detail: 'removed' });
  await reviews.settle(ADA, id, one!.id, { how: 'retry', note: 'it is back' });
  await workflow().run({ campaignId: id }, steps);
  expect((await itemsOf(id)).find((item) => item.id === one!.id)?.state).toBe('done');
});

test('what only a person can take away is a task with its text', async () => {
  candidates = [candidate('one', { act: null, task: 'Do it in Figma.' })];
  const { id } = await reviews.create(ADA, input());
  const [one] = await itemsOf(id);
  await reviews.decide(BOB, id, { items: [one!.id], decision: 'revoke', reason: 'no need' });
  await workflow().run({ campaignId: id }, steps);
  expect((await itemsOf(id))[0]).toMatchObject({ state: 'task', detail: 'Do it in Figma.' });
  await expect(reviews.settle(BOB, id, one!.id, { how: 'done', note: 'done' })).rejects.toMatchObject({
    code: 'kernel.access_denied',
  });
  await reviews.settle(ADA, id, one!.id, { how: 'done', note: 'Removed by hand' });
  expect((await itemsOf(id))[0]).toMatchObject({ state: 'done', detail: 'Removed by hand' });
});

test.each([
  ['app', { kind: 'app', value: 'slack' }, ['one']],
  ['owner', { kind: 'owner', value: 'p1' }, ['two']],
  ['risk', { kind: 'risk', value: 50 }, ['three']],
] as const)('a campaign by %s holds what is in it', async (_name, scope, keys) => {
  const { evidence } = candidate('x');
  candidates = [
    candidate('one'),
    candidate('two', { app: 'GitHub', owner: ada }),
    candidate('three', { app: 'Okta', evidence: { ...evidence, risk: 80 } }),
  ];
  expect((await reviews.preview(ADA, scope)).map(({ key }) => key)).toEqual(keys);
});

test('the report is a table that no spreadsheet runs', async () => {
  candidates = [
    candidate('one', { name: '=HYPERLINK("http://evil")', evidence: { ...candidate('x').evidence, used: null } }),
  ];
  const { id } = await reviews.create(ADA, input());
  const [head, row] = (await reviews.csv(ADA, id)).split('\r\n');
  expect(head).toMatch(/^campaign,item,kind,app,holder,granted,used,/);
  expect(row).toContain(`"'=HYPERLINK(""http://evil"")"`);
  expect(row).toContain(',unknown,');
});

test.each([
  ['a day that has passed', { dueAt: NOW - 1 }],
  ['more than half a year', { dueAt: NOW + 400 * DAY_MS }],
])('%s is refused', async (_what, more) => {
  await expect(reviews.create(ADA, input(more))).rejects.toMatchObject({ code: 'review.input_invalid' });
});
