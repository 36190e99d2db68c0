/**
 * Text that images carry beside their picture: Exif (JEITA CP-3451), XMP packets (ISO 16684-1) and the text chunks of
 * PNG (W3C PNG, section 11.3). Reads offsets within the bytes and nothing else; nothing is unpacked, so what a file
 * claims can't make it larger.
 */

const ENTRIES_MAX = 2_000;
const FOLDERS_MAX = 16;
const TEXT_BYTES_MAX = 256 * 1024;
const XMP_BYTES_MAX = 1024 * 1024;

const JPEG = [0xff, 0xd8, 0xff];
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Names of tags that people write into, or that tell where and by whom; others are shown by number. */
const TAGS: ReadonlyMap<number, string> = new Map([
  [0x010e, 'ImageDescription'],
  [0x010f, 'Make'],
  [0x0110, 'Model'],
  [0x0131, 'Software'],
  [0x013b, 'Artist'],
  [0x8298, 'Copyright'],
  [0x9286, 'UserComment'],
  [0x9c9b, 'XPTitle'],
  [0x9c9c, 'XPComment'],
  [0x9c9d, 'XPAuthor'],
  [0x9c9e, 'XPKeywords'],
  [0x9c9f, 'XPSubject'],
  [0xa430, 'CameraOwnerName'],
  [0xa431, 'BodySerialNumber'],
]);
const SUBFOLDERS = new Set([0x8769, 0x8825]);
const GPS_FOLDER = 0x8825;
const TYPE_BYTES: readonly number[] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8];
const ASCII = 2;
const BYTE = 1;
const UNDEFINED = 7;
const RATIONAL = 5;

export interface ImageText {
  readonly name: string;
  readonly text: string;
}

const begins = (bytes: Buffer, magic: readonly number[]): boolean =>
  magic.every((byte, index) => bytes[index] === byte);

/** Whether this is an image whose metadata can be read. */
export function isImage(bytes: Buffer): boolean {
  return (
    begins(bytes, JPEG) ||
    begins(bytes, PNG) ||
    begins(bytes, [0x49, 0x49, 0x2a, 0]) ||
    begins(bytes, [0x4d, 0x4d, 0, 0x2a])
  );
}

function clean(text: string): string {
  return text.replaceAll('\0', ' ').replaceAll(/\s+/g, ' ').trim();
}

class Tiff {
  readonly #bytes: Buffer;
  readonly #little: boolean;
  readonly #out: ImageText[] = [];
  #entries = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#little = bytes[0] === 0x49;
  }

  #u16(at: number): number {
    if (at < 0 || at + 2 > this.#bytes.length) return 0;
    return this.#little ? this.#bytes.readUInt16LE(at) : this.#bytes.readUInt16BE(at);
  }

  #u32(at: number): number {
    if (at < 0 || at + 4 > this.#bytes.length) return 0;
    return this.#little ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }

  read(): ImageText[] {
    const waiting = [{ at: this.#u32(4), isGps: false }];
    const seen = new Set<number>();
    for (let folder = waiting.shift(); folder && seen.size < FOLDERS_MAX; folder = waiting.shift()) {
      if (folder.at === 0 || seen.has(folder.at)) continue; // a folder that points at itself
      seen.add(folder.at);
      waiting.push(...this.#folder(folder.at, folder.isGps));
    }
    return this.#out;
  }

  #folder(at: number, isGps: boolean): { at: number; isGps: boolean }[] {
    const count = this.#u16(at);
    const further: { at: number; isGps: boolean }[] = [];
    const position = new Map<number, string>();
    for (let index = 0; index < count && this.#entries < ENTRIES_MAX; index++) {
      this.#entries += 1;
      const entry = at + 2 + index * 12;
      const tag = this.#u16(entry);
      const type = this.#u16(entry + 2);
      const values = this.#u32(entry + 4);
      if (SUBFOLDERS.has(tag)) {
        further.push({ at: this.#u32(entry + 8), isGps: tag === GPS_FOLDER });
        continue;
      }
      const bytes = values * (TYPE_BYTES[type] ?? 0);
      const from = bytes <= 4 ? entry + 8 : this.#u32(entry + 8);
      if (isGps) position.set(tag, this.#gps(type, from, bytes));
      else this.#text(tag, type, from, bytes);
    }
    this.#place(position);
    further.push({ at: this.#u32(at + 2 + count * 12), isGps: false });
    return further;
  }

  #slice(from: number, bytes: number): Buffer {
    return this.#bytes.subarray(from, from + Math.min(bytes, TEXT_BYTES_MAX));
  }

  #text(tag: number, type: number, from: number, bytes: number): void {
    const name = TAGS.get(tag);
    if (type !== ASCII && !(name && (type === BYTE || type === UNDEFINED))) return;
    const isWide = name?.startsWith('XP') === true;
    const raw = this.#slice(from, bytes);
    // UserComment begins with eight bytes that name its character set.
    const text = clean(isWide ? raw.toString('utf16le') : raw.subarray(tag === 0x9286 ? 8 : 0).toString('utf8'));
    if (text !== '') this.#out.push({ name: name ?? `tag ${tag.toString(16)}`, text });
  }

  #gps(type: number, from: number, bytes: number): string {
    if (type === ASCII) return clean(this.#slice(from, bytes).toString('latin1'));
    if (type !== RATIONAL || bytes < 24) return '';
    const parts = [0, 8, 16].map((step) => this.#u32(from + step) / (this.#u32(from + step + 4) || 1));
    return String((parts[0] ?? 0) + (parts[1] ?? 0) / 60 + (parts[2] ?? 0) / 3_600);
  }

  /** Latitude and longitude as one text, so that it reads as the place that it is. */
  #place(position: ReadonlyMap<number, string>): void {
    const latitude = Number(position.get(2));
    const longitude = Number(position.get(4));
    if (!Number.isFinite(latitude) || !Number.isFinite(longitude) || position.size === 0) return;
    const signed = (value: number, ref: string | undefined, minus: string): string =>
      (ref === minus ? -value : value).toFixed(6);
    const text = `${signed(latitude, position.get(1), 'S')}, ${signed(longitude, position.get(3), 'W')}`;
    this.#out.push({ name: 'GPSPosition', text });
  }
}

function jpegTexts(bytes: Buffer): ImageText[] {
  const out: ImageText[] = [];
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xda || marker === 0xd9) break; // the picture begins
    const length = bytes.readUInt16BE(at + 2);
    const segment = bytes.subarray(at + 4, at + 2 + length);
    if (marker === 0xe1 && segment.subarray(0, 6).toString('latin1') === 'Exif\0\0')
      out.push(...new Tiff(segment.subarray(6)).read());
    if (marker === 0xfe) out.push({ name: 'Comment', text: clean(segment.toString('utf8')) });
    at += 2 + Math.max(length, 2);
  }
  return out;
}

function pngTexts(bytes: Buffer): ImageText[] {
  const out: ImageText[] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const kind = bytes.subarray(at + 4, at + 8).toString('latin1');
    const data = bytes.subarray(at + 8, at + 8 + Math.min(length, TEXT_BYTES_MAX));
    if (kind === 'tEXt' || kind === 'iTXt') {
      const end = data.indexOf(0);
      if (end > 0)
        out.push({
          name: data.subarray(0, end).toString('latin1'),
          text: clean(data.subarray(end + 1).toString('utf8')),
        });
    }
    if (kind === 'eXIf') out.push(...new Tiff(data).read());
    if (kind === 'IEND') break;
    at += 12 + length;
  }
  return out;
}

/** The XMP packet as it stands, wherever the format keeps it. */
function xmpText(bytes: Buffer): ImageText[] {
  const begin = bytes.indexOf('<x:xmpmeta');
  if (begin < 0) return [];
  const end = bytes.indexOf('</x:xmpmeta>', begin);
  if (end < 0 || end - begin > XMP_BYTES_MAX) return [];
  // Words of attributes and elements, without the markup: names of XMP fields are not what people wrote.
  const xml = bytes.subarray(begin, end).toString('utf8');
  const words = [...xml.matchAll(/(?:="([^"]*)"|>([^<]+)<)/g)].map(([, attribute, text]) =>
    clean(attribute ?? text ?? ''),
  );
  const text = words
    .filter((word) => word !== '' && !/^https?:\/\/(?:ns\.adobe\.com|www\.w3\.org|purl\.org)\//.test(word))
    .join('\n');
  return text === '' ? [] : [{ name: 'XMP', text }];
}

/** Texts of an image's metadata; empty when it has none or is no image. Never throws on content. */
export function imageTexts(bytes: Buffer): ImageText[] {
  if (begins(bytes, JPEG)) return [...jpegTexts(bytes), ...xmpText(bytes)];
  if (begins(bytes, PNG)) return [...pngTexts(bytes), ...xmpText(bytes)];
  return isImage(bytes) ? [...new Tiff(bytes).read(), ...xmpText(bytes)] : [];
}
