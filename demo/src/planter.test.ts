import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { completeIban, completeLuhn, createPlanter } from './planter.ts';

test.each([
  ['411111111111111', '4111111111111111'],
  ['37828224631000', '378282246310005'],
  ['7992739871', '79927398713'],
])('completes %s to a number that fits Luhn', (payload, whole) => {
  expect(completeLuhn(payload)).toBe(whole);
});

test.each([
  ['DE', '370400440532013000', 'DE89370400440532013000'],
  ['BE', '539007547034', 'BE68539007547034'],
])('puts the check digits into the IBAN of %s %s', (country, account, iban) => {
  expect(completeIban(country, account)).toBe(iban);
});

test('plants what detectors look for, in its real form', () => {
  const planter = createPlanter('form');
  expect(planter.card()).toMatch(/^\d{16}$/);
  expect(planter.iban()).toMatch(/^DE\d{20}$/);
  expect(planter.ssn()).toMatch(/^[2-5]\d\d-\d\d-\d{4}$/);
  expect(planter.awsAccessKey()).toMatch(/^AKIA[A-Z2-7]{16}$/);
  expect(planter.stripeKey()).toMatch(/^sk_live_\w{32}$/);
  expect(planter.slackBotToken()).toMatch(/^xoxb-\d{12}-\d{12}-\w{24}$/);
  expect(planter.googleApiKey()).toMatch(/^AIza\w{35}$/);
});

test('gives GitHub tokens the checksum that GitHub gives them', () => {
  const token = createPlanter('checksum').githubToken();
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const value = Array.from(token.slice(-6)).reduce((sum, char) => sum * 62 + alphabet.indexOf(char), 0);
  expect(value).toBe(crc32(token.slice(4, -6)));
});

test('the same seed plants the same, another seed does not', () => {
  const texts = ['a', 'a', 'b'].map((seed) => createPlanter(seed).text(20));
  expect(texts[0]).toBe(texts[1]);
  expect(texts[0]).not.toBe(texts[2]);
});
