import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  APP_NAMES,
  type AppPlace,
  createCordonClient,
  createDrillClient,
  type EmulatedApp,
  keepWorking,
  playLiveFire,
  playScenarios,
  prepareStage,
  renderTable,
  startEstate,
} from '@cordon/demo';
import { type Config, ConfigInvalid, createLogger } from '@cordon/kernel';
import { type DataFolder, openDataFolder } from '../supervisor/data-folder.ts';
import type { PortUse } from '../supervisor/port-check.ts';
import { publicUrls } from '../supervisor/resolve-config.ts';
import type { Supervised } from '../supervisor/supervisor.ts';
import { OPERATOR_TOKEN_FILE } from './connection.ts';
import type { CliContext } from './context.ts';
import { note, print } from './output.ts';

const MARKER = 'this-is-a-demonstration';
/** Ports of their own for apps whose SDK drops path prefixes, and for each process: this far from the gateway's. */
const APP_PORT_OFFSET = 58;
const PROCESS_PORT_OFFSET = 87;
const WIDTH_DEFAULT = 110;

export interface DemoOptions {
  readonly context: CliContext;
  readonly dataDir: string;
  readonly exit: boolean;
  readonly start: (
    config: Config,
    folder: DataFolder,
    context: CliContext,
    morePorts: readonly PortUse[],
  ) => Promise<Supervised>;
  readonly untilSignal: () => Promise<NodeJS.Signals>;
  readonly printWhereabouts: (config: Config, folder: DataFolder, running: Supervised) => Promise<void>;
}

/** Every demonstration begins empty; only a folder that an earlier one made is ever deleted. */
async function emptyFolder(path: string): Promise<DataFolder> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (exists) {
    const ours = await stat(join(path, MARKER)).catch(() => null);
    if (!ours) throw new ConfigInvalid(`${path} exists and is no demonstration's folder. Give another with --data.`);
    await (await openDataFolder(path)).lock(process.pid);
    const elsewhere = (await readFile(join(path, 'postgres.location'), 'utf8').catch(() => '')).trim();
    if (elsewhere.startsWith('/var/lib/cordon/')) await rm(elsewhere, { recursive: true, force: true });
    await rm(path, { recursive: true, force: true });
  }
  const folder = await openDataFolder(path);
  await writeFile(join(path, MARKER), '');
  return folder;
}

function demoConfig(config: Config, dataDir: string): Config {
  const gateway = { ...config.gateway, process_port: config.gateway.port + PROCESS_PORT_OFFSET };
  return { ...config, data_dir: dataDir, gateway, log_level: config.log_level === 'info' ? 'warn' : config.log_level };
}

/** Where the gateway serves an app: by prefix, and on a TLS port where its SDK needs one. */
function placeOf(config: Config): (app: EmulatedApp) => AppPlace {
  const plain = `http://localhost:${config.gateway.plain_port}`;
  return (app) => {
    const prefixUrl = `${plain}/${app.name}`;
    if (app.listener === 'prefix') return { address: { prefixUrl } };
    const port = config.gateway.port + APP_PORT_OFFSET + APP_NAMES.indexOf(app.name);
    const own = `https://localhost:${port}`;
    return { address: { prefixUrl, portUrl: own, tlsPortUrl: own }, port };
  };
}

/** Starts Cordon and the emulated estate, plays the scenarios, prints what came of them. Returns the exit status. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { context } = options;
  const signal = options.untilSignal();
  const dataDir = resolve(options.dataDir);
  const config = demoConfig(await context.config(), dataDir);
  const folder = await emptyFolder(dataDir);
  const ending = new AbortController();
  void signal.then(() => ending.abort());
  note('Starting Cordon and an emulated estate of SaaS tools');
  const appPorts = APP_NAMES.map((name, index) => ({
    host: config.gateway.host,
    port: config.gateway.port + APP_PORT_OFFSET + index,
    setting: `CORDON_GATEWAY_PORT, ${APP_PORT_OFFSET + index} below it, for ${name}`,
  }));
  const running = await options.start(config, folder, context, appPorts);
  try {
    note('  starting the emulated SaaS tools …');
    const logger = createLogger({ role: 'demo', level: 'warn' });
    const estate = await startEstate({ logger, signal: ending.signal });
    try {
      const progress = (line: string): void => note(`  ${line}`);
      const control = {
        controlUrl: publicUrls(config).control,
        adminToken: ((await folder.readPrivate(OPERATOR_TOKEN_FILE)) ?? '').trim(),
      };
      const stage = await prepareStage({
        cordon: createCordonClient({ ...control, placeOf: placeOf(config) }),
        estate,
        progress,
        gatewayOrigins: Array.from(
          { length: config.gateway.processes },
          (_, index) => `http://localhost:${config.gateway.process_port + index}`,
        ),
        ca: await readFile(join(dataDir, 'ca.pem'), 'utf8'),
      });
      const results = await playScenarios(stage, progress);
      results.push(await playLiveFire(createDrillClient(control), estate, progress));
      print('');
      print(renderTable(results, { columns: process.stdout.columns ?? WIDTH_DEFAULT, colour: process.stdout.isTTY }));
      const failed = results.filter((result) => !result.ok);
      print('');
      print(
        failed.length === 0
          ? 'Every scenario came out as it should.'
          : `${failed.length} scenarios did not come out as they should.`,
      );
      if (!options.exit) {
        print('');
        await options.printWhereabouts(config, folder, running);
        note('\nThe integrations keep working, so that the map lives. Stop with Ctrl-C.');
        await keepWorking(stage, { signal: ending.signal, progress: () => undefined });
        await signal;
      }
      return failed.length === 0 ? 0 : 1;
    } finally {
      await estate.stop();
    }
  } finally {
    note('Stopping');
    await running.stop();
  }
}
