import type { ContractFactory } from '../../src/testing/contract/backend-contract.ts';
import type { ContractBackend } from '../../src/testing/contract/subject.ts';
import { StrictVendor, type Vendor } from '../servers/strict-vendor.ts';

/** The backend of a vendor with an HTTP API, and a strict local one of it. */
export function vendorSubject(vendor: Vendor, connect: (baseUrl: string) => ContractBackend): ContractFactory {
  return async () => {
    const server = await StrictVendor.start(vendor);
    return {
      backend: connect(server.http.url),
      received: () => server.accepted.map(({ recipients, source }) => ({ recipients, source: source() })),
      refuse: (address) => void server.refused.add(address),
      breakDown: () => {
        server.mood = 'broken';
      },
      stall: () => {
        server.mood = 'silent';
      },
      loseAnswers: () => {
        server.mood = 'lost';
      },
      close: () => server.close(),
    };
  };
}
