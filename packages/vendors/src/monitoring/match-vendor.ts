import { companyKey } from '../register/subprocessor-list.ts';
import type { Vendor } from '../register/vendor.ts';

/** `co.uk` and `com.au` are nobody's: a domain that is compared needs a name of its own. */
const NAME_CHARS_MIN = 4;

const bare = (host: string): string => host.toLowerCase().replace(/^www\./, '');

function isUnder(host: string, domain: string): boolean {
  const [name = ''] = domain.split('.');
  return host === domain || (name.length >= NAME_CHARS_MIN && host.endsWith(`.${domain}`));
}

/** The vendor that a notice names, by name or by a domain of its website or its apps; null: none of the register. */
export function matchVendor(
  named: string,
  vendors: readonly Vendor[],
  hostsOf: ReadonlyMap<string, readonly string[]>,
): Vendor | null {
  const key = companyKey(named);
  const byName = vendors.find(({ name }) => companyKey(name) === key);
  if (byName) return byName;
  const domain = bare(
    named
      .trim()
      .replace(/^https?:\/\//i, '')
      .replace(/[/:].*$/, ''),
  );
  if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(domain)) return null;
  const owns = ({ id, profile }: Vendor): boolean => {
    const site = profile.website === null ? [] : [bare(new URL(profile.website).hostname)];
    const hosts = [...site, ...(hostsOf.get(id) ?? []).map(bare)];
    return hosts.some((host) => isUnder(host, domain) || isUnder(domain, host));
  };
  return vendors.find(owns) ?? null;
}
