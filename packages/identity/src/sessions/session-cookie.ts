/** Longest Cookie header that is looked at, bytes; Node's own limit for all headers is 16 KiB. */
const COOKIE_CHARS_MAX = 8_192;

export interface SessionCookie {
  readonly name: string;
  read(cookieHeader: string | undefined): string | null;
  /** A Set-Cookie value that keeps the session until the browser closes or the session ends. */
  write(value: string): string;
  clear(): string;
}

/** Longer than any sign-in is apart from the next; browsers keep cookies for 400 days at most. */
const DEVICE_S_MAX = 180 * 86_400;

function readCookie(header: string | undefined, name: string): string | null {
  if (!header || header.length > COOKIE_CHARS_MAX) return null;
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim() || null;
  }
  return null;
}

/** Makes a browser known to policy on sign-in; opens nothing by itself. */
export function readDevice(header: string | undefined): string | undefined {
  return readCookie(header, '__Host-cordon_device') ?? readCookie(header, 'cordon_device') ?? undefined;
}

export function writeDevice(publicUrl: string, value: string): string {
  const isSecure = publicUrl.startsWith('https:');
  const name = isSecure ? '__Host-cordon_device' : 'cordon_device';
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${DEVICE_S_MAX}${isSecure ? '; Secure' : ''}`;
}

/**
 * The session cookie for a public address. Over https its name carries `__Host-` (RFC 6265bis, section 4.1.3.2): the
 * browser then refuses it from another host, from a sub-domain and over plain http. `Lax`, because a sign-in may begin
 * at another site; unsafe methods are held to the Origin check besides.
 */
export function createSessionCookie(publicUrl: string): SessionCookie {
  const secure = publicUrl.startsWith('https:');
  const name = secure ? '__Host-cordon_session' : 'cordon_session';
  const attributes = `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  return {
    name,
    read: (header) => readCookie(header, name),
    write: (value) => `${name}=${value}; ${attributes}`,
    clear: () => `${name}=; Max-Age=0; ${attributes}`,
  };
}
