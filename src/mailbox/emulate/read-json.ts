import type { IncomingHttpHeaders } from 'node:http';
import { Refused } from './vendor.ts';

/** The body of a request, as JSON. @throws {Refused} when it is none, or is not said to be */
export async function readJson(body: Buffer, headers: IncomingHttpHeaders): Promise<unknown> {
  // A form of a page elsewhere cannot send this type.
  if (!/^application\/(?:[\w.+-]+\+)?json\b/i.test(headers['content-type'] ?? '')) {
    throw new Refused({ kind: 'syntax', field: null, message: 'the content-type must be application/json' });
  }
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new Refused({ kind: 'syntax', field: null, message: 'the body is no JSON' });
  }
}
