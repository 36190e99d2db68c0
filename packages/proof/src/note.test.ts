import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { countWitnesses, parseCheckpoint, signCheckpoint, verifyCheckpoint } from './checkpoint.ts';
import { ProofBroken, ProofMalformed } from './errors.ts';
import { leafHash } from './merkle.ts';
import { checkSignatures, cosign, decodeKey, encodeKey, noteKey, parseNote, signNote } from './note.ts';

// The example of golang.org/x/mod/sumdb/note, made by the format's first implementation.
const GO_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const GO_NOTE = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;

const AT = 1_790_000_000_000;
function makeKey(name: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privateKey, key: noteKey(name, publicKey) };
}
const log = makeKey('cordon.example.com/audit');
const witness = makeKey('witness.example/w1');
const head = { size: 7, root: leafHash('root') };

test('reads what the first implementation signed', () => {
  const key = decodeKey(GO_KEY);
  expect(checkSignatures(parseNote(GO_NOTE), key)).toEqual({ plain: true, at: null });
  expect(encodeKey(key)).toBe(GO_KEY);
  expect(() => checkSignatures(parseNote(GO_NOTE.replace('answer', 'anwser')), key)).toThrow(ProofBroken);
});

test('a checkpoint says who, how many, what and when', () => {
  const note = signCheckpoint(head, log.key, log.privateKey, AT);
  expect(verifyCheckpoint(note, log.key)).toMatchObject({ origin: log.key.name, ...head, at: AT });
  for (const type of ['note', 'cosignature'] as const) {
    expect(verifyCheckpoint(note, decodeKey(encodeKey(log.key, type))).size).toBe(7);
  }
});

test.each([
  ['another size', (note: string) => note.replace('\n7\n', '\n8\n'), /not genuine/],
  ['another key of the same name', (note: string) => note, /no signature of the key/],
  ['another log', (note: string) => note, /of the log/],
  ['no signature left', (note: string) => note.slice(0, note.indexOf('\u2014')), /signature line is malformed/],
  ['a size with a zero in front', (note: string) => note.replace('\n7\n', '\n07\n'), /no checkpoint/],
  ['a control character', (note: string) => note.replace('7', '7\r'), /no signed note/],
  ['a root that is too short', (note: string) => note.replace(/\n7\n.*\n/, '\n7\nAAAA\n'), /no checkpoint/],
])('a checkpoint with %s is refused', (what, change, message) => {
  const name = what === 'another log' ? 'cordon.example.com/lake' : log.key.name;
  const trusted = what.startsWith('another key') || what === 'another log' ? makeKey(name).key : log.key;
  const note = change(signCheckpoint(head, log.key, log.privateKey, AT));
  expect(() => verifyCheckpoint(note, trusted)).toThrow(message);
});

test('a witness counts once, only for its own key, and only if its signature is genuine', () => {
  const note = signCheckpoint(head, log.key, log.privateKey, AT);
  const { text } = parseNote(note);
  const line = cosign(text, witness.key, witness.privateKey, AT);
  const twice = parseCheckpoint(`${note}${line}\n${line}\n`);
  expect(countWitnesses(parseCheckpoint(note), [witness.key])).toBe(0);
  expect(countWitnesses(twice, [witness.key, witness.key])).toBe(1);
  expect(countWitnesses(twice, [makeKey(witness.key.name).key])).toBe(0);
  const forged = line.replace(/.{6}$/, 'AAAAAA');
  expect(() => countWitnesses(parseCheckpoint(`${note}${forged}\n`), [witness.key])).toThrow(ProofBroken);
  // A plain signature of a witness is no cosignature: it says no time and asserts nothing about a log.
  const plain = signNote(text, witness.key, witness.privateKey, AT)
    .split('\n')
    .find((one) => one.startsWith('\u2014'));
  expect(countWitnesses(parseCheckpoint(`${note}${plain ?? ''}\n`), [witness.key])).toBe(0);
});

test.each([
  '',
  'x',
  'name+00000000+AAAA',
  `${GO_KEY}x`,
  GO_KEY.replace('c74f', 'c74e'),
  GO_KEY.replace('Peter', 'P ter'),
])('is no key: %j', (text) => {
  expect(() => decodeKey(text)).toThrow(ProofMalformed);
});
