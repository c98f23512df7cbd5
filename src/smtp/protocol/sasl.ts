import { createHmac } from 'node:crypto';
import type { AuthMethod } from '../options.ts';
import { scram } from './scram.ts';

/** A mechanism in progress: the initial response when it has one, then an answer to every challenge. */
export interface Exchange {
  readonly initial: string | null;
  answer(challenge: string, round: number): string | Promise<string>;
  /** Whether the server has proved what the mechanism has it prove; without it, there is nothing to prove. */
  isProved?(): boolean;
}

/** Whether a mechanism takes an access token in place of a password. */
export function isTokenMethod(method: AuthMethod): boolean {
  return method === 'OAUTHBEARER' || method === 'XOAUTH2';
}

/** Whether the server gets the password itself, and so can judge it in whatever way it keeps it. */
export function sendsPassword(method: AuthMethod): boolean {
  return method === 'PLAIN' || method === 'LOGIN';
}

/** Begins a mechanism for passwords. */
export function passwordExchange(method: AuthMethod, username: string, password: string): Exchange {
  switch (method) {
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-1':
      return scramExchange(method, username, password);
    case 'CRAM-MD5':
      return {
        initial: null,
        answer: (challenge) => `${username} ${createHmac('md5', password).update(challenge).digest('hex')}`,
      };
    case 'LOGIN':
      // The prompts are not read: servers word them as they like.
      return { initial: null, answer: (_, round) => (round === 0 ? username : password) };
    default:
      // As they are: it is the server that prepares them (RFC 4616, section 2).
      return { initial: `\0${username}\0${password}`, answer: () => '' };
  }
}

function scramExchange(method: AuthMethod, username: string, password: string): Exchange {
  const client = scram(method === 'SCRAM-SHA-256' ? 'sha256' : 'sha1', username, password);
  let isProved = false;
  return {
    initial: client.first,
    async answer(challenge, round) {
      if (round === 0) return client.proof(challenge);
      // A refusal in place of the proof (RFC 5802, section 7); the server's reply says the rest.
      if (challenge.startsWith('e=')) return '';
      client.verify(challenge);
      isProved = true;
      return '';
    },
    isProved: () => isProved,
  };
}

/** Begins a mechanism for access tokens. */
export function tokenExchange(method: AuthMethod, username: string, token: string): Exchange {
  if (method === 'XOAUTH2')
    return { initial: `user=${username}\u0001auth=Bearer ${token}\u0001\u0001`, answer: () => '' };
  const name = username.replaceAll('=', '=3D').replaceAll(',', '=2C');
  // RFC 7628, section 3.2.3: a refusal is acknowledged with one kvsep.
  return { initial: `n,a=${name},\u0001auth=Bearer ${token}\u0001\u0001`, answer: () => '\u0001' };
}

/** The provider's own reason, which comes as JSON in a challenge (RFC 7628, section 3.2.2). */
export function errorDetails(challenge: string): string {
  try {
    const parsed: unknown = JSON.parse(challenge);
    if (typeof parsed !== 'object' || parsed === null) return '';
    return Object.entries(parsed)
      .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
      .map(([key, value]) => `${key}: ${value}`)
      .join(', ')
      .slice(0, 500);
  } catch {
    return '';
  }
}
