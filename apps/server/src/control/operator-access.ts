import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Identity, IdentityError } from '@cordon/identity';
import type { Clock, Logger } from '@cordon/kernel';

/** Files in the data directory, readable by its owner only. */
const TOKEN_FILE = 'operator.token';
/** Which token the file's is, so that it can be told from others and ended when it is replaced. */
const TOKEN_ID_FILE = 'operator.token-id';
const LINK_FILE = 'first-owner.link';
const TOKEN_DAYS = 365;
const RENEW_DAYS = 30;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const LINK_RENEW_MS = 30 * 60_000;
const SYSTEM = { kind: 'system', name: 'operator' } as const;

async function writePrivate(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  await file.writeFile(text);
  await file.sync();
  await file.close();
  await rename(`${path}.new`, path);
}

async function readText(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).trim();
}

/** An owner's API token of a few hours, and the first owner's sign-in link while there is no owner. */
export async function grantOperator(
  identity: Identity,
  clock: Clock,
  hours: number,
): Promise<{ token: string; expiresAt: number; link: string | null }> {
  const expiresAt = clock.now() + hours * HOUR_MS;
  const { value } = await identity.apiTokens.create(SYSTEM, { name: 'operator', roles: ['owner'], expiresAt });
  return { token: value, expiresAt, link: await makeLink(identity) };
}

async function makeLink(identity: Identity): Promise<string | null> {
  try {
    return (await identity.links.createFirstOwnerLink()).url;
  } catch (error) {
    if (error instanceof IdentityError && error.code === 'identity.owner_exists') return null;
    throw error;
  }
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
  const at = (name: string): string => join(deps.dataDir, name);
  let timer: NodeJS.Timeout | null = null;

  const prepareToken = async (): Promise<void> => {
    const [value, id] = [await readText(at(TOKEN_FILE)), await readText(at(TOKEN_ID_FILE))];
    const tokens = await identity.apiTokens.list(SYSTEM, true);
    const known = tokens.find((token) => token.id === id);
    // A database that was restored or replaced doesn't know the file's token: it would be refused until it is removed.
    if (value !== '' && known && known.expiresAt > clock.now() + RENEW_DAYS * DAY_MS) return;
    const expiresAt = clock.now() + TOKEN_DAYS * DAY_MS;
    const made = await identity.apiTokens.create(SYSTEM, { name: 'operator', roles: ['owner'], expiresAt });
    await writePrivate(at(TOKEN_FILE), `${made.value}\n`);
    await writePrivate(at(TOKEN_ID_FILE), `${made.token.id}\n`);
    if (known) await identity.apiTokens.revoke(SYSTEM, known.id);
  };

  const prepareLink = async (): Promise<void> => {
    const url = await makeLink(identity);
    if (url === null) {
      await rm(at(LINK_FILE), { force: true });
      return;
    }
    await writePrivate(at(LINK_FILE), `${url}\n`);
    timer = setTimeout(() => {
      prepareLink().catch((error: unknown) => logger.warn({ err: error }, 'no new first-owner link was made'));
    }, LINK_RENEW_MS);
    timer.unref();
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
