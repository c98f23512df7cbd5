import type { Duplex } from 'node:stream';
import { isWorkerd } from '../../util/runtime.ts';
import type { ResolvedSmtpOptions } from '../options.ts';
import { startTls } from './connect.ts';
import { Dialogue } from './dialogue.ts';
import { Route } from './route.ts';
import type { Transcript } from './transcript.ts';

/** A server that has greeted. */
export interface Reached {
  readonly socket: Duplex;
  readonly dialogue: Dialogue;
  /** What the server calls itself. */
  readonly server: string;
}

/**
 * Connects to a server, by TLS where that is implicit, and waits for its greeting: one address after the other (RFC 5321,
 * section 5.1), as a host that takes a connection may still be out of order. Any greeting but 220 counts as that, even
 * 5yz: it says that this host refuses, for example because our IPv6 address has no name in the DNS, and says nothing about
 * the next.
 *
 * @throws {EmailConnectionError} that of the first address when none greets
 */
export async function reach(
  options: ResolvedSmtpOptions,
  transcript: Transcript,
  signal: AbortSignal,
): Promise<Reached> {
  const route = new Route(options);
  let first: unknown;
  for (;;) {
    try {
      return await greeted(await route.dial(signal), options, transcript, signal);
    } catch (error) {
      first ??= error;
      if (signal.aborted) throw error;
      if (!route.hasMore) throw first;
    }
  }
}

async function greeted(
  socket: Duplex,
  options: ResolvedSmtpOptions,
  transcript: Transcript,
  signal: AbortSignal,
): Promise<Reached> {
  const { proxy } = options;
  transcript.note(proxy === null ? 'connected' : `connected through the proxy ${proxy.name}`);
  const isBegun = isWorkerd() && options.socket === null; // by the route
  const ready = options.security === 'implicit' && !isBegun ? await startTls(socket, options, signal) : socket;
  const dialogue = new Dialogue(ready, transcript, options, signal);
  try {
    return { socket: ready, dialogue, server: await greet(dialogue) };
  } catch (error) {
    dialogue.close();
    throw error;
  }
}

/** Waits for the whole greeting: a client that talks earlier is taken for a spammer (RFC 5321, section 3.1). */
async function greet(dialogue: Dialogue): Promise<string> {
  const reply = await dialogue.read('greeting');
  if (reply.code !== 220) {
    throw dialogue.refusal('greeting', 'greeting', 'the server does not take mail from here', reply);
  }
  return reply.text.split(/\s/, 1)[0] ?? '';
}
