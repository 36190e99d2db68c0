import { type NetworkFacts, type NetworkFlag } from './range-table.ts';

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** MaxMind's Anonymous IP and what others call the same. */
const FLAG_KEYS: Readonly<Record<string, NetworkFlag>> = {
  is_hosting_provider: 'hosting',
  hosting: 'hosting',
  is_anonymous_vpn: 'vpn',
  vpn: 'vpn',
  is_tor_exit_node: 'tor',
  tor: 'tor',
  is_public_proxy: 'proxy',
  is_residential_proxy: 'proxy',
  proxy: 'proxy',
  relay: 'relay',
};

function countryOf(record: Fields): string | undefined {
  const country = record['country'];
  const codes = [record['country_code'], fields(country)['iso_code'], country];
  const found = codes.find((one) => typeof one === 'string' && /^[A-Za-z]{2}$/.test(one));
  return typeof found === 'string' ? found.toUpperCase() : undefined;
}

/** What the files of the known makers say of a network, whatever they call it. */
export function factsOfRecord(value: unknown): NetworkFacts | undefined {
  if (value === undefined) return undefined;
  const record = fields(value);
  const country = countryOf(record);
  const number = record['autonomous_system_number'] ?? record['asn'];
  const text = typeof number === 'string' ? number : typeof number === 'number' ? `${number}` : '';
  const asn = Number(/^(?:AS)?(\d{1,10})$/i.exec(text)?.[1] ?? Number.NaN);
  const names = [record['autonomous_system_organization'], record['as_name'], record['name']];
  const organisation = names.find((one) => typeof one === 'string' && one !== '');
  const said = { ...fields(record['traits']), ...record };
  const flags = Object.entries(FLAG_KEYS).flatMap(([key, flag]) => (said[key] === true ? [flag] : []));
  return {
    ...(country !== undefined && { country }),
    ...(Number.isFinite(asn) && { asn }),
    ...(Number.isFinite(asn) && typeof organisation === 'string' && { organisation }),
    ...(flags.length > 0 && { flags: [...new Set(flags)] }),
  };
}
