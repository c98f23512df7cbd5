import type { IncomingHttpHeaders } from 'node:http';
import { type Problem, Refused } from './vendor.ts';

const STATUSES: Readonly<Partial<Record<Problem['kind'], number>>> = {
  key: 401,
  path: 404,
  'too-large': 413,
  throttled: 429,
};

/** The HTTP status of a refusal, as most vendors have it. @param otherwise that of a request that says something wrong */
export function statusOf({ kind }: Problem, otherwise = 400): number {
  return STATUSES[kind] ?? otherwise;
}

/** What is wrong, the name of the field in front. */
export function textOf({ field, message }: Problem): string {
  return field === null ? message : `${field} ${message}`;
}

/** @throws {Refused} for a field that is not there */
export function missing(field: string, message = 'is missing'): never {
  throw new Refused({ kind: 'missing', field, message });
}

/** @throws {Refused} for what a field says */
export function refuseContent(field: string, message: string): never {
  throw new Refused({ kind: 'content', field, message });
}

/** Whether a request has a token of any kind. */
export function hasBearer({ authorization = '' }: IncomingHttpHeaders): boolean {
  return /^Bearer \S/.test(authorization);
}

/** Whether a request has a name and a password. */
export function hasBasic({ authorization = '' }: IncomingHttpHeaders): boolean {
  return /^Basic \S/.test(authorization);
}
