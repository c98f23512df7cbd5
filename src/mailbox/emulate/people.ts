import type { AddressInput } from '../../model/address.ts';
import type { Table } from './shape.ts';

/** Somebody, as most vendors write it. */
export interface Person {
  readonly email: string;
  readonly name?: string;
}

/** The fields of a {@link Person}. */
export const PERSON: Table = { 'email!': 'text', name: 'text' };

/** Somebody as a message has it. */
export function addressOf(address: string, name?: string): AddressInput {
  return name ? { name, address } : address;
}

/** A {@link Person} as a message has it. */
export function box({ email, name }: Person): AddressInput {
  return addressOf(email, name);
}
