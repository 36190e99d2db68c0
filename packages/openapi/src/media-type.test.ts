import { expect, test } from 'vitest';
import { mediaParameter, mediaType, schemaFor } from './media-type.ts';

test.each([
  ['application/json', 'application/json'],
  ['Application/JSON; charset=utf-8', 'application/json'],
  [' text/plain ;x', 'text/plain'],
  ['text', null],
  ['', null],
  ['text/pl ain', null],
  ['text/plain, application/json', null],
])('%j is of type %j', (text, expected) => {
  expect(mediaType(text)).toBe(expected);
});

test.each([
  ['multipart/form-data; boundary=abc', 'abc'],
  ['multipart/form-data; charset=x; Boundary="a=b"', 'a=b'],
  ['multipart/form-data', null],
])('boundary of %j', (text, expected) => {
  expect(mediaParameter(text, 'boundary')).toBe(expected);
});

test.each([
  ['exact', ['application/json', 'text/plain'], 'text/plain', 'text/plain'],
  ['a JSON dialect for JSON', ['application/json'], 'application/vnd.x+json', 'application/json'],
  ['JSON for a JSON dialect', ['application/scim+json'], 'application/json', 'application/scim+json'],
  ['a range', ['image/*'], 'image/png', 'image/*'],
  ['anything', ['*/*'], 'image/png', '*/*'],
  ['bytes', ['application/octet-stream'], 'image/png', 'application/octet-stream'],
  ['nothing fits', ['application/json'], 'text/plain', undefined],
  ['a name of Object', ['application/json'], 'constructor', undefined],
])('%s', (_name, described, type, expected) => {
  const content = Object.fromEntries(described.map((name) => [name, { title: name }]));
  expect(schemaFor(content, type)).toEqual(expected === undefined ? undefined : { title: expected });
});
