import { Parser } from 'saxen';
import { FileRefused } from '../errors.ts';
import { decodeText } from './file-kind.ts';
import { XML_DEPTH_MAX } from './limits.ts';

type Attributes = Readonly<Record<string, string>>;

export interface XmlHandler {
  /** `name` and attribute names without their prefix. */
  open?(name: string, attributes: Attributes): void;
  close?(name: string): void;
  text?(text: string): void;
}

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

function attributesOf(raw: Record<string, string> | true, decode: (text: string) => string): Attributes {
  const attributes: Record<string, string> = Object.create(null) as Record<string, string>; // nothing inherited
  if (raw === true) return attributes;
  for (const [name, value] of Object.entries(raw)) {
    if (!name.startsWith('xmlns')) attributes[localName(name)] = decode(value);
  }
  return attributes;
}

/** The text of an XML part. A document type is refused unread: nothing good in an Office file has one. */
export function xmlText(bytes: Uint8Array): string {
  const text = decodeText(bytes);
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) {
    throw new FileRefused(
      'vendors.file_external_entity',
      'The file defines XML entities, which could read other files.',
    );
  }
  return text;
}

/** Reads XML in one pass, with bounded depth and no entities but the five that XML has. */
export function readXml(bytes: Uint8Array, handler: XmlHandler): void {
  let depth = 0;
  const parser = new Parser()
    .on('openTag', (name, attributes, decode) => {
      depth += 1;
      if (depth > XML_DEPTH_MAX) {
        throw new FileRefused('vendors.file_too_complex', `XML is nested deeper than ${XML_DEPTH_MAX}.`);
      }
      handler.open?.(localName(name), attributesOf(attributes(), decode));
    })
    .on('closeTag', (name) => {
      depth -= 1;
      handler.close?.(localName(name));
    })
    .on('text', (text, decode) => handler.text?.(decode(text)))
    .on('cdata', (text) => handler.text?.(text))
    .on('error', (error) => {
      if (error instanceof FileRefused) throw error;
      throw new FileRefused('vendors.file_broken', `The XML is not well formed: ${error.message.split('\n')[0]}`);
    });
  parser.parse(xmlText(bytes));
  if (depth !== 0) throw new FileRefused('vendors.file_broken', 'The XML ends before its elements do.');
}
