import { createClassifier } from '@cordon/classifier';
import { expect, test } from 'vitest';
import { imageTexts, isImage } from './image-metadata.ts';

const IBAN = 'DE89370400440532013000';

/** A TIFF folder with one ASCII tag, and GPS below it. */
function exif(description: string): Buffer {
  const text = Buffer.from(`${description}\0`);
  const head = Buffer.alloc(8 + 2 + 24 + 4);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(2, 8);
  const entry = (at: number, tag: number, type: number, count: number, value: number): void => {
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(count, at + 4);
    head.writeUInt32LE(value, at + 8);
  };
  const gpsAt = head.length + text.length;
  entry(10, 0x010e, 2, text.length, head.length);
  entry(22, 0x8825, 4, 1, gpsAt);
  const gps = Buffer.alloc(2 + 48 + 4 + 48);
  gps.writeUInt16LE(4, 0);
  const rationals = gpsAt + 54;
  const row = (n: number, tag: number, type: number, count: number, value: number): void => {
    gps.writeUInt16LE(tag, 2 + n * 12);
    gps.writeUInt16LE(type, 4 + n * 12);
    gps.writeUInt32LE(count, 6 + n * 12);
    gps.writeUInt32LE(value, 10 + n * 12);
  };
  row(0, 1, 2, 2, 'N'.charCodeAt(0));
  row(1, 2, 5, 3, rationals);
  row(2, 3, 2, 2, 'W'.charCodeAt(0));
  row(3, 4, 5, 3, rationals + 24);
  [52, 31, 12, 13, 24, 36].forEach((value, index) => {
    gps.writeUInt32LE(value, 54 + index * 8);
    gps.writeUInt32LE(1, 58 + index * 8);
  });
  return Buffer.concat([head, text, gps]);
}

const segment = (marker: number, data: Buffer): Buffer => {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
};
const jpeg = (...segments: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([0xff, 0xd8]), ...segments, Buffer.from([0xff, 0xd9])]);
const app1 = (description: string): Buffer =>
  segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exif(description)]));

test('Exif text and place of a JPEG', () => {
  expect(imageTexts(jpeg(app1(`Invoice, ${IBAN}`)))).toEqual([
    { name: 'ImageDescription', text: `Invoice, ${IBAN}` },
    { name: 'GPSPosition', text: '52.520000, -13.410000' },
  ]);
});

test('XMP words without their markup', () => {
  const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:li xml:lang="x-default">Pay ${IBAN} now</rdf:li></x:xmpmeta>`;
  const texts = imageTexts(jpeg(segment(0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0${xmp}`))));
  expect(texts).toEqual([{ name: 'XMP', text: expect.stringContaining(`Pay ${IBAN} now`) }]);
});

test('text chunks of a PNG', () => {
  const chunk = (kind: string, data: string): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, Buffer.from(kind + data, 'latin1'), Buffer.alloc(4)]);
  };
  const png = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('tEXt', `Comment\0Customer ${IBAN}`),
    chunk('IEND', ''),
  ]);
  expect(imageTexts(png)).toEqual([{ name: 'Comment', text: `Customer ${IBAN}` }]);
});

test('what is found in metadata is what was written there', () => {
  const classifier = createClassifier();
  const [first] = imageTexts(jpeg(app1(`IBAN ${IBAN}`)));
  expect(classifier.scan(Buffer.from(first?.text ?? '')).map(({ type }) => type)).toContain('iban');
});

test('a folder that points at itself ends, and so does a cut file', () => {
  const loop = Buffer.from('II*\0\x08\0\0\0\0\0\x08\0\0\0', 'latin1');
  expect(imageTexts(loop)).toEqual([]);
  const whole = jpeg(app1('x'.repeat(50)));
  for (let length = 0; length < whole.length; length++)
    expect(imageTexts(whole.subarray(0, length)).length).toBeLessThan(4);
});

test.each([
  ['a PDF', Buffer.from('%PDF-1.7')],
  ['text', Buffer.from('II like it')],
])('%s is no image', (_name, bytes) => {
  expect(isImage(bytes)).toBe(false);
  expect(imageTexts(bytes)).toEqual([]);
});
