/** What a User-Agent header tells of a client. A header is what the client says of itself: a hint, never proof. */
export interface ClientFacts {
  readonly kind: 'browser' | 'mobile' | 'sdk' | 'script' | 'bot' | 'other';
  readonly name: string;
  /** Operating system, where it is named. */
  readonly system?: string;
}

const AGENT_CHARS_MAX = 1_000;

/** In order: the first that occurs names the client. */
const CLIENTS: readonly (readonly [mark: RegExp, kind: ClientFacts['kind'], name: string])[] = [
  [/\b(?:bot|crawler|spider)\b|Googlebot|bingbot|Slackbot/i, 'bot', 'Bot'],
  [/^curl\//i, 'script', 'curl'],
  [/^Wget\//i, 'script', 'Wget'],
  [/python-requests|python-httpx|aiohttp|urllib/i, 'script', 'Python'],
  [/Go-http-client/i, 'script', 'Go'],
  [/^okhttp/i, 'script', 'OkHttp'],
  [/Apache-HttpClient|^Java\//i, 'script', 'Java'],
  [/PowerShell/i, 'script', 'PowerShell'],
  [/PostmanRuntime|insomnia/i, 'script', 'API tool'],
  [/node-fetch|undici|axios|^node\b/i, 'script', 'Node.js'],
  [/^aws-sdk|Boto3|aws-cli/i, 'sdk', 'AWS SDK'],
  [/octokit/i, 'sdk', 'Octokit'],
  [/google-api-|gaxios/i, 'sdk', 'Google API client'],
  [/terraform/i, 'sdk', 'Terraform'],
  [/HeadlessChrome|PhantomJS/i, 'script', 'Headless browser'],
  [/\bEdgA?\//, 'browser', 'Edge'],
  [/\bOPR\//, 'browser', 'Opera'],
  [/\bFirefox\/|\bFxiOS\//, 'browser', 'Firefox'],
  [/\bCriOS\/|\bChrome\//, 'browser', 'Chrome'],
  [/\bVersion\/[\d.]+ .*Safari\//, 'browser', 'Safari'],
  [/CFNetwork|Dalvik/i, 'mobile', 'Mobile app'],
  [/-sdk\b|\bsdk\b/i, 'sdk', 'SDK'],
];
const SYSTEMS: readonly (readonly [mark: RegExp, name: string])[] = [
  [/Windows/, 'Windows'],
  [/iPhone|iPad|CFNetwork/, 'iOS'],
  [/Mac OS X|Macintosh|darwin/i, 'macOS'],
  [/Android/, 'Android'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/i, 'Linux'],
];

/** Undefined for an empty header. What nobody knows is named by its first word, without its version. */
export function parseUserAgent(text: string): ClientFacts | undefined {
  const agent = text.slice(0, AGENT_CHARS_MAX).trim();
  if (agent === '') return undefined;
  const found = CLIENTS.find(([mark]) => mark.test(agent));
  const system = SYSTEMS.find(([mark]) => mark.test(agent))?.[1];
  const [, kind = 'other', name = /^[^\s/(]{1,60}/.exec(agent)?.[0] ?? 'unknown'] = found ?? [];
  return { kind, name, ...(system !== undefined && { system }) };
}
