import { type AddressInput, parseMailbox } from '../../model/address.ts';
import { reasonOf } from '../../util/reason.ts';
import type { Table } from './shape.ts';
import { Refused } from './vendor.ts';

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

/** @throws {Refused} for what is no address */
export function checkAddress(field: string, address: string): void {
  try {
    parseMailbox(address);
  } catch (error) {
    throw new Refused({ kind: 'address', field, message: reasonOf(error) });
  }
}
