import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';

export type Logger = PinoLogger;

export interface LoggerOptions {
  readonly role: string;
  readonly level?: string;
  readonly destination?: DestinationStream;
}

const HIDDEN = '[hidden]';
const SECRET_KEYS = [
  'authorization',
  'cookie',
  'set-cookie',
  'password',
  'secret',
  'client_secret',
  'clientSecret',
  'token',
  'access_token',
  'accessToken',
  'refresh_token',
  'id_token',
  'apiKey',
  'api_key',
  'privateKey',
  'private_key',
  'client_assertion',
  'otp',
  'sealed',
];

// Anything that looks like a credential in free text: bearer values, Cordon's own tokens, URLs with a password.
const SECRET_TEXT =
  /\b(bearer|basic|dpop)\s+[\w.~+/=-]{8,}|\bcordon_(?:pat|sec|lnk)_[\w-]{8,}|(:\/\/[^\s:@/]{1,128}:)[^\s@/]{1,256}(?=@)/gi;

/** Replaces what looks like a credential in a text that is about to be logged or shown. */
export function hideSecrets(text: string): string {
  return text.replace(SECRET_TEXT, (_match, scheme?: string, urlStart?: string) => {
    if (urlStart) return urlStart + HIDDEN;
    return scheme ? `${scheme} ${HIDDEN}` : HIDDEN;
  });
}

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error ? error.code : undefined;
  return {
    type: error.name,
    code,
    message: hideSecrets(error.message),
    stack: error.stack === undefined ? undefined : hideSecrets(error.stack),
    cause: error.cause === undefined ? undefined : serializeError(error.cause),
  };
}

/** A JSON logger to stdout (or a given destination) that never writes a secret. */
export function createLogger({ role, level = 'info', destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { role, pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    redact: { paths: SECRET_KEYS.flatMap((key) => [`["${key}"]`, `*["${key}"]`, `*.*["${key}"]`]), censor: HIDDEN },
    serializers: { err: serializeError, error: serializeError },
    hooks: {
      logMethod(this: Logger, args: Parameters<Logger['info']>, method: (...rest: Parameters<Logger['info']>) => void) {
        for (let index = 0; index < args.length; index++) {
          const value: unknown = args[index];
          if (typeof value === 'string') args[index as 0] = hideSecrets(value);
        }
        method.apply(this, args);
      },
    },
  };
  return destination ? pino(options, destination) : pino(options);
}
