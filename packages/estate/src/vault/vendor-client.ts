import type { AppEntry, Credential } from '@cordon/policy';

/** How a vendor may be reached: what an administrator allowed for the app. */
export type Reach = Pick<AppEntry, 'privateAddresses' | 'plaintext' | 'caCertificates' | 'tlsVersionMin'>;

export interface VendorRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface VendorAnswer {
  readonly status: number;
  readonly body: string;
}

/** Requests of Cordon's own to vendors. The composition root brings what does them, behind the egress guard. */
export interface VendorClient {
  /** Bounded in time and size, follows no redirect. @throws when there is no answer. */
  send(request: VendorRequest, reach: Reach): Promise<VendorAnswer>;
  /** A GET of a path of the app with a credential as gateways attach it. Resolves with the status. */
  probe(app: AppEntry, credential: Credential, path: string): Promise<number>;
}
