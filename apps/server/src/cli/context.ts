import type { Config } from '@cordon/kernel';
import type { Connection } from './connection.ts';
import type { Environment } from './settings.ts';

/** What commands work with; made once by main.ts. */
export interface CliContext {
  readonly env: Environment;
  /** The file that is forked for roles. */
  readonly program: string;
  config(): Promise<Config>;
  connect(): Promise<Connection>;
}
