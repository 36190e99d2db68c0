import { createServer } from 'node:net';
import { createEmulator, type Emulator } from 'emulate';
import { type EstatePlan, planEstate } from './estate-plan.ts';
import { type Answer, type Command, commandSchema } from './estate-protocol.ts';
import { seedByApi } from './estate-seeding.ts';
import { githubRoutes } from './github-routes.ts';
import { googleRoutes } from './google-routes.ts';
import { graphRoutes } from './graph-routes.ts';
import { oktaRoutes } from './okta-routes.ts';
import { createPlanter } from './planter.ts';
import { type ExtraRoutes, startVendorShim, type VendorShim } from './vendor-shim.ts';
import { APP_NAMES, type AppName, VENDORS } from './vendors.ts';

const shims = new Map<AppName, VendorShim>();
const emulators = new Map<AppName, Emulator>();

const answer = (message: Answer): void => void process.send?.(message);

function extraOf(name: AppName, plan: EstatePlan): { extra?: (origin: string) => ExtraRoutes } {
  if (name === 'microsoft') return { extra: graphRoutes(plan.graph) };
  if (name === 'github') return { extra: githubRoutes(plan.people, Date.now()) };
  if (name === 'okta') return { extra: oktaRoutes(Date.now()) };
  return name === 'google' ? { extra: googleRoutes() } : {};
}

/** Starts shims and emulators of all apps; a shim takes `portBase` + its place in the list, or any free port. */
async function start(command: Command & { kind: 'start' }): Promise<void> {
  const planter = createPlanter(command.seed);
  const plan = planEstate(planter);
  const emulatorOrigins = new Map<AppName, string>();
  const apps: { name: AppName; origin: string; secret: string }[] = [];
  for (const [index, name] of APP_NAMES.entries()) {
    const secret = VENDORS[name].makeSecret(planter);
    const shim = await startVendorShim({
      vendor: VENDORS[name],
      secret,
      port: command.portBase === undefined ? 0 : command.portBase + index,
      emulatorOrigin: () => emulatorOrigins.get(name),
      ...extraOf(name, plan),
      ...(name === 'microsoft' && command.tls ? { tls: command.tls } : {}),
    });
    shims.set(name, shim);
    const port = await freePort();
    const emulator = await createEmulator({
      service: name,
      port,
      // What the emulator writes into links and bodies is the shim's address.
      baseUrl: shim.origin,
      seed: { tokens: {}, [name]: plan.config[name] },
    });
    emulators.set(name, emulator);
    emulatorOrigins.set(name, `http://127.0.0.1:${port}`);
    apps.push({ name, origin: shim.origin, secret });
  }
  const originOf = (name: AppName): string => emulatorOrigins.get(name) ?? '';
  await seedByApi({ github: originOf('github'), slack: originOf('slack'), stripe: originOf('stripe') }, plan);
  answer({ kind: 'started', apps });
}

/** emulate does not tell which port it was given for 0, so a free one is found first. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

async function handle(message: unknown): Promise<void> {
  const command = commandSchema.parse(message);
  if (command.kind === 'start') return start(command);
  if (command.kind === 'forbid') {
    for (const token of command.tokens) for (const shim of shims.values()) shim.forbid(token);
    return answer({ kind: 'forbidden' });
  }
  const reports = Array.from(shims.values(), (shim) => {
    const report = shim.report();
    return { ...report, violations: [...report.violations] };
  });
  return answer({ kind: 'reported', id: command.id, reports });
}

process.on('message', (message: unknown) => {
  handle(message).catch((error: unknown) =>
    answer({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
});
// The channel closes when the parent ends, however it ended: nothing may stay behind.
process.on('disconnect', () => process.exit(0));
// Ctrl+C reaches the whole process group; the parent decides when the estate goes.
process.on('SIGINT', () => undefined);
