import type { Planter } from '../planter.ts';
import type { Person } from './people.ts';

export interface ChargeSeed {
  readonly customer: string;
  readonly amount: number;
  readonly currency: 'usd' | 'eur';
  readonly description: string;
}

export const stripeCustomerId = (index: number): string => `cus_meridian${String(index + 1).padStart(3, '0')}`;

/** emulate's seed configuration for Stripe; charges come from confirmed payment intents. */
export function stripeConfig(people: readonly Person[]): Record<string, unknown> {
  return {
    customers: people.map((person, index) => ({
      id: stripeCustomerId(index),
      email: person.email,
      name: person.name,
      description: `Buyer, ${person.phone}`,
    })),
    products: [{ id: 'prod_pallet', name: 'Pallet of boxes', description: 'Forty boxes on a pallet' }],
    prices: [{ id: 'price_pallet', product_name: 'Pallet of boxes', currency: 'usd', unit_amount: 14_900 }],
  };
}

/** Payments of the first customers. Somebody typed card numbers into the descriptions. */
export function plantCharges(planter: Planter, people: readonly Person[]): readonly ChargeSeed[] {
  return people.slice(0, 20).map((person, index) => ({
    customer: stripeCustomerId(index),
    amount: 1_000 + planter.integer(90_000),
    currency: index % 2 === 0 ? 'usd' : 'eur',
    description: index % 4 === 0 ? `Phone order of ${person.name}, card ${planter.card()}` : `Order ${2_000 + index}`,
  }));
}
