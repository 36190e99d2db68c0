declare module 'saxen' {
  type Decode = (text: string) => string;

  export class Parser {
    on(
      name: 'openTag',
      handler: (
        name: string,
        attributes: () => Record<string, string> | true,
        decode: Decode,
        selfClosing: boolean,
      ) => void,
    ): this;
    on(name: 'closeTag', handler: (name: string, decode: Decode, selfClosing: boolean) => void): this;
    on(name: 'text', handler: (text: string, decode: Decode) => void): this;
    on(name: 'cdata', handler: (text: string) => void): this;
    on(name: 'error' | 'warn', handler: (error: Error) => void): this;
    parse(xml: string): this;
  }
}
