import { describe, expect, test } from 'vitest';
import { countTakenMembers, type GroupLink, planGroups, type WantedGroup } from './group-plan.ts';

const ANN = { personId: 'p-ann', name: 'Ann', remoteId: 'r-ann' };
const BEN = { personId: 'p-ben', name: 'Ben', remoteId: 'r-ben' };
const NEW = { personId: 'p-new', name: 'New', remoteId: null };
const people = new Map([ANN, BEN].map((one) => [one.remoteId, one]));
const sales = (...members: WantedGroup['members']): WantedGroup => ({ id: 'g1', name: 'Sales', members });
const there = (id: string, displayName: string, ...members: string[]) => ({
  id,
  displayName,
  members: members.map((value) => ({ value })),
});
const link = (made: boolean, ...members: string[]): GroupLink => ({
  groupId: 'g1',
  groupName: 'Sales',
  remoteId: 'x1',
  pushed: { displayName: 'Sales', members, made },
});
const plan = (wanted: WantedGroup[], links: GroupLink[], remote: ReturnType<typeof there>[]) =>
  planGroups({ wanted, links, remote, people });
const short = (items: ReturnType<typeof plan>) =>
  items.map(({ act, differences }) => [
    act,
    differences.map((one) => `${one.path} ${String(one.wanted)} ${one.changed}`),
  ]);

describe('what would be done with a group', () => {
  test.each([
    ['it is not there', [sales(ANN, NEW)], [], [], [['create', ['member Ann true here', 'member New true here']]]],
    ['one of its name is there', [sales(ANN)], [], [there('x1', 'Sales', 'r-ann')], [['link', []]]],
    ['as wanted', [sales(ANN)], [link(true, 'p-ann')], [there('x1', 'Sales', 'r-ann')], []],
    [
      'somebody came in here',
      [sales(ANN, BEN)],
      [link(true, 'p-ann')],
      [there('x1', 'Sales', 'r-ann')],
      [['update', ['member Ben true here']]],
    ],
    [
      'somebody went out here',
      [sales(ANN)],
      [link(true, 'p-ann', 'p-ben')],
      [there('x1', 'Sales', 'r-ann', 'r-ben')],
      [['update', ['member Ben false here']]],
    ],
    [
      'somebody was taken out there',
      [sales(ANN)],
      [link(true, 'p-ann')],
      [there('x1', 'Sales')],
      [['update', ['member Ann true there']]],
    ],
    [
      'a stranger was put in there',
      [sales(ANN)],
      [link(true, 'p-ann')],
      [there('x1', 'Sales', 'r-ann', 'r-mallory')],
      [['update', ['member r-mallory false there']]],
    ],
    [
      'it was renamed there',
      [sales(ANN)],
      [link(true, 'p-ann')],
      [there('x1', 'Mine', 'r-ann')],
      [['update', ['displayName Sales there']]],
    ],
    [
      'it is pushed no more',
      [],
      [link(true, 'p-ann')],
      [there('x1', 'Sales')],
      [['delete', ['member Ann false here']]],
    ],
    ['two of its name are there', [sales(ANN)], [], [there('x1', 'Sales'), there('x2', 'Sales')], [['conflict', []]]],
  ])('%s', (_name, wanted, links, remote, expected) => {
    expect(short(plan(wanted, links, remote))).toEqual(expected);
  });

  test('one of its name that is linked to another group is left alone', () => {
    const other = { ...link(true), groupId: 'g2', groupName: 'Other' };
    const [item] = plan([sales(ANN), { id: 'g2', name: 'Other', members: [] }], [other], [there('x1', 'Sales')]);
    expect(item).toMatchObject({ act: 'conflict', groupId: 'g1' });
  });

  test('memberships that would be taken are counted', () => {
    const items = plan([sales()], [link(true, 'p-ann', 'p-ben')], [there('x1', 'Sales', 'r-ann', 'r-ben')]);
    expect(countTakenMembers(items)).toBe(2);
  });
});
