/**
 * An organisation that exists nowhere: people of several kinds who work for weeks, and attacks under the identity of
 * some of them. What behaviour's detection is measured on. The same seed gives the same events.
 */
export interface SampleEvent {
  readonly id: string;
  readonly time: number;
  readonly email: string;
  readonly name: string;
  readonly app: string;
  readonly operation: string;
  readonly resource: string;
  readonly ip: string;
  readonly userAgent: string;
  readonly country: string;
  readonly failed: boolean;
  readonly bytes: number;
}

export interface SampleAttack {
  readonly kind: string;
  readonly email: string;
  /** UTC midnight of its first day. */
  readonly day: number;
}

export interface SampleOptions {
  readonly people: number;
  readonly days: number;
  /** UTC midnight of the first day. */
  readonly from: number;
  readonly attacks: number;
  /** Attacks and what is measured lie after this many days of learning. */
  readonly learningDays: number;
  readonly seed: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Persona {
  readonly name: string;
  readonly apps: readonly (readonly [app: string, operations: readonly string[]])[];
  readonly perDay: number;
  readonly start: number;
  readonly hours: number;
  readonly weekends: number;
  readonly resources: number;
  /** Chance a day to be somewhere else, to change the client, to try something new. */
  readonly travels: number;
  readonly bytes: number;
}

const PERSONAS: readonly Persona[] = [
  {
    name: 'engineer',
    apps: [
      ['GitHub', ['repo.read', 'pr.open', 'pr.review', 'push', 'issue.comment', 'repo.clone']],
      ['Slack', ['message.post', 'file.read']],
      ['Jira', ['issue.view', 'issue.edit']],
    ],
    perDay: 40,
    start: 9,
    hours: 9,
    weekends: 0.08,
    resources: 12,
    travels: 0.04,
    bytes: 40_000,
  },
  {
    name: 'seller',
    apps: [
      ['Salesforce', ['account.view', 'opportunity.edit', 'report.run', 'contact.view']],
      ['Zoom', ['meeting.start', 'meeting.join']],
      ['Slack', ['message.post', 'file.read']],
      ['Drive', ['file.view', 'file.share']],
    ],
    perDay: 30,
    start: 7,
    hours: 11,
    weekends: 0.03,
    resources: 30,
    travels: 0.25,
    bytes: 20_000,
  },
  {
    name: 'finance',
    apps: [
      ['NetSuite', ['invoice.view', 'invoice.post', 'ledger.export', 'vendor.view']],
      ['Drive', ['file.view', 'file.edit', 'file.download']],
    ],
    perDay: 25,
    start: 8,
    hours: 9,
    weekends: 0.01,
    resources: 15,
    travels: 0.01,
    bytes: 60_000,
  },
  {
    name: 'support',
    apps: [
      ['Zendesk', ['ticket.view', 'ticket.reply', 'user.view', 'macro.apply']],
      ['Slack', ['message.post', 'file.read']],
    ],
    perDay: 70,
    start: 6,
    hours: 16,
    weekends: 0.4,
    resources: 45,
    travels: 0.02,
    bytes: 8_000,
  },
  {
    name: 'administrator',
    apps: [
      ['Okta', ['user.update', 'group.add', 'session.view', 'user.reset_mfa', 'app.assign']],
      ['Drive', ['file.view', 'audit.view']],
      ['GitHub', ['org.view', 'member.add', 'repo.read']],
    ],
    perDay: 20,
    start: 8,
    hours: 11,
    weekends: 0.1,
    resources: 10,
    travels: 0.05,
    bytes: 15_000,
  },
];

const CLIENTS = ['Chrome/140.0', 'Firefox/143.0', 'Safari/26.0', 'Edge/140.0'];
/** What some people do now and then and nobody has to explain: an app tried, a task of somebody else. */
const SIDE: readonly (readonly [string, string])[] = [
  ['Notion', 'page.view'],
  ['Figma', 'file.view'],
  ['Drive', 'file.view'],
  ['Miro', 'board.view'],
  ['Zoom', 'meeting.join'],
  ['Drive', 'file.download'],
];

type Random = () => number;

/** mulberry32: small, well spread, the same everywhere. */
function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Member {
  readonly index: number;
  readonly email: string;
  readonly name: string;
  readonly persona: Persona;
  readonly pace: number;
  readonly shift: number;
  readonly office: string;
  readonly home: string;
  readonly clients: string[];
  readonly apps: readonly (readonly [string, readonly string[]])[];
}

type Base = Pick<SampleEvent, 'email' | 'name'>;

const pick = <Value>(values: readonly Value[], random: Random): Value | undefined =>
  values[Math.floor(random() * values.length)];

function member(index: number, random: Random): Member {
  const persona = PERSONAS[index % PERSONAS.length] ?? PERSONAS[0];
  if (!persona) throw new TypeError('there is no persona');
  // Somebody leaves a part of what the others of the kind do aside.
  const apps = persona.apps.map(
    ([app, operations]) => [app, operations.filter((_, at) => at === 0 || random() < 0.75)] as const,
  );
  return {
    index,
    email: `${persona.name}${index}@example.com`,
    name: `${persona.name} ${index}`,
    persona,
    pace: 0.5 + random() * 1.2,
    shift: Math.floor(random() * 3) - 1,
    office: `192.0.2.${10 + (index % 3)}`,
    home: `10.${Math.floor(index / 200)}.${index % 200}.20`,
    clients: [pick(CLIENTS, random) ?? 'Chrome', ...(random() < 0.4 ? ['Slackbot-Mobile/24.1'] : [])],
    apps,
  };
}

/** A number around `mean` with the long tail that counts of work have. */
function around(mean: number, random: Random): number {
  const normal = Math.sqrt(-2 * Math.log(random() || 1e-9)) * Math.cos(2 * Math.PI * random());
  return mean * Math.exp(0.35 * normal);
}

function workday(one: Member, day: number, random: Random): Omit<SampleEvent, 'id'>[] {
  const { persona } = one;
  const weekday = (Math.floor(day / DAY_MS) + 3) % 7;
  const isOff = weekday >= 5 ? random() > persona.weekends : random() < 0.06;
  if (isOff) return [];
  const events: Omit<SampleEvent, 'id'>[] = [];
  const isAway = random() < persona.travels;
  const away = `172.${16 + Math.floor(random() * 16)}.${Math.floor(random() * 250)}.9`;
  const atHome = random() < 0.35;
  if (random() < 0.006) one.clients.push(pick(CLIENTS, random) ?? 'Chrome');
  const isBusy = random() < 0.02;
  const count = Math.max(1, Math.round(around(persona.perDay * one.pace * (isBusy ? 3 : 1), random)));
  const late = random() < 0.04 ? 4 : 0;
  for (let at = 0; at < count; at++) {
    const [app, operations] = pick(one.apps, random) ?? ['Slack', ['message.post']];
    // The usual again and again, the rest now and then.
    const operation = operations[Math.floor(operations.length * random() ** 2)] ?? 'view';
    const hour = persona.start + one.shift + (persona.hours + late) * Math.sqrt(random()) * (0.6 + 0.4 * random());
    events.push({
      ...who(one),
      time: Math.round(day + Math.min(23.9, Math.max(0, hour)) * HOUR_MS),
      app,
      operation,
      resource: `${app}-${persona.name}-${Math.floor(random() ** 2 * persona.resources * 8)}`,
      ip: isAway ? away : atHome ? one.home : one.office,
      userAgent: pick(one.clients, random) ?? 'Chrome',
      country: isAway && random() < 0.3 ? 'FR' : 'DE',
      failed: random() < 0.015,
      bytes: Math.round(around(persona.bytes, random)),
    });
  }
  if (random() < 0.04) {
    const [app, operation] = pick(SIDE, random) ?? ['Notion', 'page.view'];
    const base = events[0];
    if (base) events.push({ ...base, time: base.time + 60_000, app, operation, resource: `${app}-shared-1` });
  }
  return events;
}

const who = ({ email, name }: Base): Base => ({ email, name });

type Attack = (one: Member, day: number, random: Random) => Omit<SampleEvent, 'id'>[];

/** One call of an intruder, from a network and a client of their own unless said otherwise. */
function intrusion(one: Member, time: number, over: Partial<SampleEvent>): Omit<SampleEvent, 'id'> {
  return {
    ...who(one),
    time,
    app: 'Drive',
    operation: 'file.view',
    resource: 'x',
    // Each intruder has a network of their own.
    ip: `100.${64 + (one.index % 64)}.${one.index % 250}.7`,
    userAgent: 'python-requests/2.32',
    country: 'RO',
    failed: false,
    bytes: 30_000,
    ...over,
  };
}

const many = (count: number, make: (at: number) => Omit<SampleEvent, 'id'>): Omit<SampleEvent, 'id'>[] =>
  Array.from({ length: count }, (_, at) => make(at));

/** What the measured attacks do. None is loud in every respect; each is what real cases were. */
const SAMPLE_ATTACKS: Readonly<Record<string, Attack>> = {
  // A stolen token read from elsewhere with a script, at any hour.
  'stolen-token': (one, day, random) => {
    const start = day + Math.floor(random() * 23) * HOUR_MS;
    const app = one.apps[0]?.[0] ?? 'Drive';
    const operation = one.apps[0]?.[1][0] ?? 'file.view';
    return many(60, (at) => intrusion(one, start + at * 30_000, { app, operation, resource: `${app}-stolen-${at}` }));
  },
  // From the person's own machine and network: only what and how much differ.
  'mass-export': (one, day, random) => {
    const start = day + (one.persona.start + 2) * HOUR_MS;
    const userAgent = one.clients[0] ?? 'Chrome';
    return many(400, (at) =>
      intrusion(one, start + at * 9_000, {
        operation: 'file.download',
        resource: `Drive-board-${at}`,
        ip: one.office,
        userAgent,
        country: 'DE',
        bytes: Math.round(around(800_000, random)),
      }),
    );
  },
  // Few calls, but to what this person never touches: rights and keys.
  'privilege-abuse': (one, day, random) => {
    const start = day + Math.floor(1 + random() * 3) * HOUR_MS;
    const operations = ['apikey.create', 'role.grant', 'audit.disable', 'user.impersonate'];
    return many(12, (at) =>
      intrusion(one, start + at * 120_000, {
        app: 'Okta',
        operation: operations[at % operations.length] ?? 'role.grant',
        resource: `Okta-role-${at % 5}`,
        ip: one.home,
        userAgent: one.clients[0] ?? 'Chrome',
        country: 'DE',
      }),
    );
  },
  // Trying doors: mostly refusals, over many records.
  probing: (one, day, random) => {
    const start = day + Math.floor(random() * 20) * HOUR_MS;
    return many(120, (at) =>
      intrusion(one, start + at * 20_000, {
        app: one.apps[0]?.[0] ?? 'Drive',
        operation: 'admin.read',
        resource: `probe-${at}`,
        failed: random() < 0.9,
        bytes: 200,
      }),
    );
  },
  // Three days of a little more than usual, by night, through a hosting network.
  'slow-exfiltration': (one, day, random) =>
    [0, 1, 2].flatMap((later) =>
      many(25, (at) =>
        intrusion(one, day + later * DAY_MS + (1 + Math.floor(random() * 3)) * HOUR_MS + at * 60_000, {
          operation: 'file.download',
          resource: `Drive-exfil-${later}-${at}`,
          userAgent: one.clients[0] ?? 'Chrome',
          country: 'NL',
          bytes: 500_000,
        }),
      ),
    ),
};

export function* sampleOrganisation(options: SampleOptions): Generator<{
  readonly day: number;
  readonly events: readonly SampleEvent[];
  readonly attacks: readonly SampleAttack[];
}> {
  const random = seededRandom(options.seed);
  const members = Array.from({ length: options.people }, (_, index) => member(index, random));
  const kinds = Object.keys(SAMPLE_ATTACKS);
  const spliced = new Map<number, Omit<SampleEvent, 'id'>[]>();
  const attacks: SampleAttack[] = [];
  const span = options.days - options.learningDays - 3;
  for (let index = 0; index < options.attacks; index++) {
    const one = members[Math.floor(((index + 0.5) * options.people) / options.attacks)];
    const kind = kinds[index % kinds.length] ?? '';
    if (!one || span < 1) continue;
    const day = options.from + (options.learningDays + Math.floor(random() * span)) * DAY_MS;
    attacks.push({ kind, email: one.email, day });
    for (const event of SAMPLE_ATTACKS[kind]?.(one, day, random) ?? []) {
      const at = Math.floor(event.time / DAY_MS) * DAY_MS;
      spliced.set(at, [...(spliced.get(at) ?? []), event]);
    }
  }
  for (let index = 0; index < options.days; index++) {
    const day = options.from + index * DAY_MS;
    const events = [...members.flatMap((one) => workday(one, day, random)), ...(spliced.get(day) ?? [])];
    yield {
      day,
      events: events.map((event, at) => ({ ...event, id: `sample-${options.seed}-${index}-${at}` })),
      attacks: attacks.filter((attack) => attack.day === day),
    };
  }
}
