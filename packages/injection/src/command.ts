import { type Match, match } from './finding.ts';

const set = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Programs that no sentence begins with after a separator. */
const PROGRAMS = set(`
  whoami uname ifconfig ipconfig netstat nslookup wget curl netcat ncat bash zsh ksh csh dash busybox perl python
  python2 python3 php ruby lua node powershell pwsh cmd certutil bitsadmin mshta rundll32 regsvr32 wmic systeminfo
  tasklist taskkill hostname printenv crontab chmod chown useradd usermod passwd tcpdump nmap telnet socat xterm
  mkfifo base64 xxd openssl gcc sudo killall pkill reboot shutdown traceroute arp route getent awk sed grep egrep
  tftp scp ssh rsync dd mkfs iptables systemctl lsof pstree dir.exe cmd.exe powershell.exe nc.exe net.exe ping.exe tac
`);
/** Words of everyday language too: the rest must look like a command line. */
const WORDS = set(`
  id ls cat nc sh ps ping sleep rm echo dig env touch type dir net more less head tail cp mv find sort who w pwd set
  time date host kill cd mount df du test expr printf source exec eval export read tee wc nl od tr cut at start del
  copy ver vol tree attrib
`);
const TARGET = /^(?:\/(?:etc|bin|usr|tmp|proc|var|dev|root|home|opt)\/|~\/|[a-z]:\\|%[a-z]{3,20}%|\$[a-z({])/i;

/** Splits `c'a't`, `c\at`, `c^md`, `w""hoami` back into the word that a shell runs. */
function unquote(word: string): string {
  return word.replace(/['"\\^]|\$[@*]|\$\{?[0-9]\}?|`` ?/g, '').toLowerCase();
}

const IFS = /\$\{?IFS\}?(?:\$[0-9])?|%20|%09/g;
const WORD_CHARS_MAX = 64;

function readWord(text: string, start: number): string {
  let end = start;
  while (end < text.length && end - start < WORD_CHARS_MAX && !' \t\r\n;|&<>()`,{}'.includes(text[end]!)) end++;
  return text.slice(start, end);
}

interface Candidate {
  readonly word: string;
  readonly raw: string;
  readonly end: number;
  /** Characters behind the word. */
  readonly rest: string;
}

function candidate(text: string, from: number): Candidate {
  let start = from;
  while (start < text.length && ' \t\r\n({"\''.includes(text[start]!)) start++;
  const raw = readWord(text, start);
  const end = start + raw.length;
  const base = unquote(raw.replace(/^.*[/\\](?=[\w.-]+$)/, ''));
  return { word: base, raw, end, rest: text.slice(end, end + 48) };
}

/** How sure it is that a command begins here. 0: not at all. */
function weigh({ word, raw, rest }: Candidate, ended: boolean): number {
  const path = /^\/(?:usr\/|s?bin\/|local\/|opt\/)/.test(raw) || /^(?:\/[\w?*[\]]{1,12}){2,6}$/.test(raw);
  const known = PROGRAMS.has(word);
  const argument = rest.trimStart();
  const spaced = rest !== argument || rest === '';
  if (path && (known || WORDS.has(word) || /[?*]/.test(raw))) return 0.95;
  if (known && /^[)`;|&]|^$/.test(argument)) return 0.9;
  if (
    known &&
    spaced &&
    (/^[-/\\$"'<>%~.(0-9]/.test(argument) || /^[a-z]+:\/\//i.test(argument) || TARGET.test(argument))
  )
    return 0.9;
  if (known && spaced && /^[\w.-]+(?:\s|$|[/:;|&)`])/.test(argument)) return 0.7;
  if (word === 'net' && /^\s{1,4}(?:user|localgroup|use|view|share|start|stop|group)\b/i.test(rest)) return 0.85;
  if (!WORDS.has(word)) return 0;
  if (argument.startsWith(',') && TARGET.test(argument.slice(1))) return 0.9;
  if (/^[)`;|&]/.test(argument)) return /^(?:id|ls|ps|pwd|env|dir|sh|cat|nc|df|du|ver)$/.test(word) ? 0.85 : 0;
  if (argument === '') return ended && /^(?:id|ls|ps|pwd|env|dir|w|sh|set|df)$/.test(word) ? 0.8 : 0;
  if (spaced && TARGET.test(argument)) return 0.9;
  if (spaced && /^-{1,2}[a-z]/i.test(argument)) return 0.85;
  if (/^(?:ping|sleep|kill|time|nc)$/.test(word) && /^-?\d/.test(argument)) return 0.85;
  if (/^(?:cat|ls|rm|touch|type|dir|echo|head|tail|more|less)$/.test(word) && /^[$"'.*/<>]/.test(argument)) return 0.8;
  return 0;
}

const POWERSHELL =
  /\b(?:invoke-(?:expression|webrequest|restmethod|command)\b|iex\s?[($]|downloadstring\s?\(|new-object\s{1,4}(?:system\.)?net\.|frombase64string\s?\(|start-process\s|-e(?:nc|ncodedcommand)\s{1,4}[a-z0-9+/]{8})/i;
const SHELLSHOCK = /\(\)\s{0,4}\{\s{0,4}[:_a-z]{0,10};?\s{0,4}\}?\s{0,4};/i;
const DEVICE = /\/dev\/(?:tcp|udp)\/[\w.]/i;

/** Shell metacharacters with a command behind them; PowerShell; Shellshock. */
export function detectCommand(text: string): Match | null {
  const shock = SHELLSHOCK.exec(text);
  if (shock) return match('command', 'shellshock', 0.95, shock.index, shock.index + shock[0].length);
  const power = POWERSHELL.exec(text);
  if (power) return match('command', 'powershell', 0.85, power.index, power.index + power[0].length);
  const device = DEVICE.exec(text);
  if (device) return match('command', 'dev-tcp', 0.9, device.index, device.index + device[0].length);
  const ifs = text.includes('IFS');
  const plain = ifs ? text.replace(IFS, ' ') : text;
  const found = scan(plain, ifs ? 0.1 : 0);
  // Offsets of a rewritten text would point elsewhere.
  return found && ifs ? { ...found, start: 0, end: Math.min(text.length, 48) } : found;
}

function scan(text: string, bonus: number): Match | null {
  let best: Match | null = null;
  for (let at = 0; at < text.length; at++) {
    const from = commandStart(text, at);
    if (from === -1) continue;
    if (isOrdinaryWord(text, from)) continue;
    const found = candidate(text, from);
    const weight = Math.min(1, weigh(found, found.end >= text.trimEnd().length) + substitutionBonus(text, at)) + bonus;
    const enough = weight > bonus + 0.3 && (!best || weight > best.confidence);
    if (enough)
      best = match('command', 'shell-command', Math.min(0.95, weight), at, Math.min(text.length, found.end + 12));
    if (best && best.confidence >= 0.9) return best;
  }
  return best;
}

/** Letters that name no program: what follows most semicolons and ampersands. Spares the rest of the look. */
function isOrdinaryWord(text: string, from: number): boolean {
  let start = from;
  while (text.charCodeAt(start) === 0x20) start++;
  let end = start;
  for (let code = text.charCodeAt(end) | 0x20; code >= 0x61 && code <= 0x7a; code = text.charCodeAt(end) | 0x20) end++;
  const after = text.charCodeAt(end);
  if (end === start || (after !== 0x20 && after !== 0x2e && after !== 0x2c && after !== 0x3d)) return false;
  const word = text.slice(start, end).toLowerCase();
  return !PROGRAMS.has(word) && !WORDS.has(word) && !(after === 0x2e && /^\.exe/i.test(text.slice(end, end + 4)));
}

function substitutionBonus(text: string, at: number): number {
  return text[at] === '`' || text[at] === '$' ? 0.05 : 0;
}

/** Where a command would begin if the character at `at` separates commands, or -1. */
function commandStart(text: string, at: number): number {
  const sign = text[at]!;
  if (sign === ';' || sign === '|' || sign === '&' || sign === '`') return at + 1;
  if (sign === '\n') return at + 1;
  if (sign === '$' && text[at + 1] === '(') return at + 2;
  if ((sign === '<' || sign === '>') && text[at + 1] === '(') return at + 2;
  if (sign === '{' && /^\{[a-z]{2,10},/i.test(text.slice(at, at + 12))) return at + 1;
  // The whole value is a command: only where it names a program by its path.
  return at === 0 && /^\/(?:usr\/)?s?bin\//.test(text) ? 0 : -1;
}
