import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Identity, IdentityError } from '@cordon/identity';
import type { Clock, Logger } from '@cordon/kernel';

/** Files in the data directory, readable by its owner only. */
const TOKEN_FILE = 'operator.token';
const LINK_FILE = 'first-owner.link';
const TOKEN_DAYS = 365;
const RENEW_DAYS = 30;
const DAY_MS = 86_400_000;
const LINK_RENEW_MS = 30 * 60_000;

async function writePrivate(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  await file.writeFile(text);
  await file.sync();
  await file.close();
  await rename(`${path}.new`, path);
}

/**
 * What the operator of this machine gets by being able to read the data directory: an API token for the command line,
 * and the link with which the first owner signs in. The link ends as soon as there is an owner.
 */
export function createOperatorAccess(deps: {
  readonly identity: Identity;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
}) {
  const { identity, clock, logger } = deps;
  const [tokenPath, linkPath] = [join(deps.dataDir, TOKEN_FILE), join(deps.dataDir, LINK_FILE)];
  const system = { kind: 'system', name: 'operator' } as const;
  let timer: NodeJS.Timeout | null = null;

  const prepareToken = async (): Promise<void> => {
    const value = (await readFile(tokenPath, 'utf8').catch(() => '')).trim();
    const known = value === '' ? [] : await identity.apiTokens.list(system, true);
    const renewAt = clock.now() + RENEW_DAYS * DAY_MS;
    if (known.some((token) => token.name === 'operator' && token.expiresAt > renewAt)) return;
    const expiresAt = clock.now() + TOKEN_DAYS * DAY_MS;
    const made = await identity.apiTokens.create(system, { name: 'operator', roles: ['owner'], expiresAt });
    await writePrivate(tokenPath, `${made.value}\n`);
  };

  const prepareLink = async (): Promise<void> => {
    try {
      const link = await identity.links.createFirstOwnerLink();
      await writePrivate(linkPath, `${link.url}\n`);
      timer = setTimeout(() => {
        prepareLink().catch((error: unknown) => logger.warn({ err: error }, 'no new first-owner link was made'));
      }, LINK_RENEW_MS);
      timer.unref();
    } catch (error) {
      if (!(error instanceof IdentityError && error.code === 'identity.owner_exists')) throw error;
      await rm(linkPath, { force: true });
    }
  };

  return {
    async prepare(): Promise<void> {
      await prepareToken();
      await prepareLink();
    },
    async stop(): Promise<void> {
      if (timer) clearTimeout(timer);
    },
  };
}
