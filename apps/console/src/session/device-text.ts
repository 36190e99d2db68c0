const BROWSERS = [
  [/\bEdgA?\//, 'Edge'],
  [/\bFirefox\//, 'Firefox'],
  [/\bOPR\//, 'Opera'],
  [/\b(?:Headless)?Chrome\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
  [/^curl\//, 'curl'],
] as const;
const SYSTEMS = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
] as const;

/** Browser and system in words; the User-Agent itself when it says neither. */
export function deviceText(agent: string): string {
  const browser = BROWSERS.find(([pattern]) => pattern.test(agent))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1];
  if (browser === undefined && system === undefined) return agent;
  return [browser ?? 'A browser', system].filter((part) => part !== undefined).join(' on ');
}

const METHODS: Readonly<Record<string, string>> = {
  hwk: 'passkey',
  pwd: 'password',
  otp: 'code',
  link: 'one-time link',
  recovery: 'recovery code',
  fed: 'provider',
  'fed-mfa': 'second factor at the provider',
  'fed-phr': 'passkey at the provider',
};

export function methodsText(amr: readonly string[]): string {
  return amr.map((method) => METHODS[method] ?? method).join(', ');
}

/** Where an address is, as far as it tells by itself: no list of places is asked. */
export function placeText(ip: string): string {
  if (/^(?:127\.|::1$|::ffff:127\.)/.test(ip)) return `${ip} (this machine)`;
  if (/^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|f[cd][0-9a-f]{2}:|fe80:)/i.test(ip))
    return `${ip} (private network)`;
  return ip;
}
