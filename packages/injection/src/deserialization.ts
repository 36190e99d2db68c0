import { type Match, match } from './finding.ts';

/** Whole values in Base64, by how their first bytes come out. */
const BASE64: readonly (readonly [prefix: string, rule: string, confidence: number])[] = [
  ['rO0AB', 'java-stream', 0.95],
  ['H4sIAAAAAAAAA', 'gzip-stream', 0],
  ['AAEAAAD/////', 'dotnet-formatter', 0.95],
  ['gASV', 'python-pickle', 0.9],
  ['gAWV', 'python-pickle', 0.9],
  ['gANj', 'python-pickle', 0.9],
  ['gAJj', 'python-pickle', 0.9],
  ['Y29zCnN5c3RlbQ', 'python-pickle', 0.95],
  ['Y3Bvc2l4CnN5c3RlbQ', 'python-pickle', 0.95],
  ['Y19fYnVpbHRpbl9f', 'python-pickle', 0.95],
  ['BAhvOg', 'ruby-marshal', 0.9],
  ['BAhvO', 'ruby-marshal', 0.85],
  ['BAhVOh', 'ruby-marshal', 0.9],
  ['BAhbC', 'ruby-marshal', 0.75],
  ['Tzo', 'php-object', 0],
];
const TEXT: readonly (readonly [pattern: RegExp, rule: string, confidence: number])[] = [
  [/(?:^|[;{"'\s])[OC]:\+?\d{1,4}:"[\w\\]{1,200}":\d{1,6}:\{/, 'php-object', 0.95],
  [/(?:^|[(\s])c(?:os|posix|nt|__builtin__|builtins|subprocess|commands|sys)\n\w{2,40}\n/, 'python-pickle', 0.95],
  [/_\$\$ND_FUNC\$\$_/, 'node-serialize', 0.95],
  [/_\$\$ND_CC\$\$_|_js_function/, 'node-serialize', 0.8],
  [/!!?(?:python|ruby|java|javax|com\.sun|org\.apache|org\.springframework|js)[/:.][\w/.:]{0,120}/, 'yaml-tag', 0.9],
  [/tag:yaml\.org,2002:(?:python|java|ruby|js)\b/, 'yaml-tag', 0.9],
  [
    /\b(?:com\.sun\.(?:rowset|org\.apache)|org\.apache\.(?:commons\.collections|xalan|xbean)|org\.springframework\.(?:context|beans)\.[\w.]{0,60}(?:context|factory)|java\.lang\.(?:runtime|processbuilder)|javax\.(?:naming|script|management)\.[\w.]{3,80}|ch\.qos\.logback\.core\.db|com\.mchange\.v2\.c3p0|java\.beans\.eventhandler)/i,
    'java-class',
    0.85,
  ],
  [
    /system\.(?:windows\.data\.objectdataprovider|diagnostics\.process|configuration\.install\.assemblyinstaller|management\.automation|web\.ui\.objectstateformatter)|typeconfusedelegate|windowsidentity,\s?mscorlib/i,
    'dotnet-type',
    0.9,
  ],
  [/^(?:aced0005|ac ed 00 05|0xaced0005)/i, 'java-stream', 0.9],
];
/** Members that tell a deserialiser which class to make. */
const TYPE_KEYS = new Set([
  '@type',
  '$type',
  '@class',
  '__type',
  'py/object',
  'py/reduce',
  '!type',
  'json_class',
  '^o',
]);
const CLASS_NAME =
  /^(?:(?:java|javax|com|org|net|ch|sun|oracle|br|groovy|clojure)\.[\w.$]{3,200}|l?system\.[\w.`[\], =+]{3,400}|microsoft\.[\w.]{3,200}|__main__\.|os\.|posix\.|subprocess\.|builtins\.)/i;

/** Objects that are made, or code that is run, when a careless reader takes the value apart. */
export function detectDeserialization(text: string): Match | null {
  if (text.charCodeAt(0) === 0xac && text.charCodeAt(1) === 0xed)
    return match('deserialization', 'java-stream', 0.95, 0, 4);
  if (text.charCodeAt(0) === 0x80 && text.charCodeAt(1) >= 2 && text.charCodeAt(1) <= 5 && /\n.|\x93|\x8c/.test(text)) {
    return match('deserialization', 'python-pickle', 0.85, 0, 2);
  }
  for (const [prefix, rule, confidence] of BASE64) {
    if (confidence > 0 && text.startsWith(prefix)) return match('deserialization', rule, confidence, 0, prefix.length);
  }
  for (const [pattern, rule, confidence] of TEXT) {
    const found = pattern.exec(text);
    if (found)
      return match('deserialization', rule, confidence, found.index, found.index + Math.min(found[0].length, 40));
  }
  return null;
}

/** Whether a value whose first two characters are these could be one of the above: for values without any sign. */
export function mayBeStream(first: number, second: number): boolean {
  switch (first) {
    case 0x72: // rO0
    case 0x4f: // O:
      return second === 0x4f || second === 0x3a;
    case 0x41: // AAEAAAD
    case 0x67: // gASV
    case 0x42: // BAh
      return second === 0x41;
    case 0x59: // Y29z
      return second >= 0x31 && second <= 0x33;
    case 0x61: // aced, a:1:{
      return second === 0x63 || second === 0x3a;
    case 0x63: // com.sun, cos
    case 0x6a: // java.
    case 0x6f: // org.
      return second === 0x6f || second === 0x61 || second === 0x72;
    case 0x53: // System.
      return second === 0x79;
    default:
      return first === 0xac || first === 0x80 || first === 0xc2 || first === 0x21 || first === 0x5f;
  }
}

/** A member that names a class to make, or reaches into prototypes. */
export function detectTypeMember(key: string, value: string | null): Match | null {
  if (
    key === '__proto__' ||
    /^__proto__[.[]|^constructor(?:\.|\[)prototype|\[__proto__\]|\[constructor\]\[prototype\]/.test(key)
  ) {
    return match('deserialization', 'prototype', 0.9, 0, key.length);
  }
  if (value === null || !TYPE_KEYS.has(key.toLowerCase()) || !CLASS_NAME.test(value)) return null;
  return match(
    'deserialization',
    'type-member',
    key === '@type' || key === '$type' ? 0.85 : 0.75,
    0,
    Math.min(value.length, 40),
  );
}
