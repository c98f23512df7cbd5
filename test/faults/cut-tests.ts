import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SmtpOptions } from '../../src/smtp/options.ts';
import type { Extension } from '../../src/smtp-server/extensions.ts';
import type { Cut, Fault } from '../../src/testing/index.ts';
import { ScriptedSmtpServer, type ScriptedSmtpServerOptions } from '../../src/testing/index.ts';
import { type FaultOutcome, MESSAGES, runFaultCase } from './fault-case.ts';

const AT_ONCE = 50;
const STALL_MS = 150;
/** What no call may take of the time its process has; a hang takes for ever. */
const LIMIT_MS = 20_000;
/** All cases of a test together: a few seconds, but many times that on a machine that is busy with other things too. */
const TEST_TIMEOUT_MS = 900_000;

interface Mode {
  readonly name: string;
  readonly server: ScriptedSmtpServerOptions;
  readonly client: SmtpOptions;
}

const ALL: readonly Extension[] = ['PIPELINING', 'CHUNKING', 'SIZE', '8BITMIME', 'ENHANCEDSTATUSCODES'];
const MODES: readonly Mode[] = [
  { name: 'CHUNKING', server: { extensions: ALL }, client: {} },
  { name: 'PIPELINING', server: { extensions: ALL.filter((name) => name !== 'CHUNKING') }, client: {} },
  { name: 'one command at a time', server: { extensions: ['SIZE'] }, client: {} },
  {
    name: 'LMTP',
    server: { extensions: ALL.filter((name) => name !== 'CHUNKING'), lmtp: true },
    client: { lmtp: true },
  },
];

/** Cuts and stalls sessions after one in `stride` bytes, and puts one in `replyStride` of the bad replies into them. */
export function testCuts(stride: number, replyStride: number): void {
  describe.each(MODES)('a session with $name', ({ name, server: serverOptions, client }) => {
    const servers: ScriptedSmtpServer[] = [];
    let sent = 0;
    let received = 0;
    const unhandled: unknown[] = [];
    const onUnhandled = (error: unknown): number => unhandled.push(error);

    beforeAll(async () => {
      process.on('unhandledRejection', onUnhandled);
      for (let count = 0; count < AT_ONCE; count++) servers.push(await ScriptedSmtpServer.start(serverOptions));
      const [first] = servers;
      if (!first) throw new Error('no server');
      const outcome = await runFaultCase(first, client, LIMIT_MS);
      expect(outcome).toEqual({ statuses: Array(9).fill('sent'), lies: [] });
      sent = first.connections[0]?.sent ?? 0;
      received = first.connections[0]?.received ?? 0;
      first.reset();
    });

    afterAll(async () => {
      process.off('unhandledRejection', onUnhandled);
      await Promise.all(servers.map((server) => server.close()));
    });

    /** Runs one case after the other on every server, all servers at once. */
    async function runAll<T>(
      cases: readonly T[],
      run: (server: ScriptedSmtpServer, which: T) => Promise<FaultOutcome>,
    ) {
      const queue = cases.entries();
      const lies: string[] = [];
      const counts: Record<string, number> = {};
      await Promise.all(
        servers.map(async (server) => {
          for (const [, which] of queue) {
            const outcome = await run(server, which);
            for (const status of outcome.statuses) counts[status] = (counts[status] ?? 0) + 1;
            for (const lie of outcome.lies) lies.push(`${JSON.stringify(which)}: ${lie}`);
            server.reset();
          }
        }),
      );
      return { lies, counts };
    }

    it('tells the truth wherever the connection is cut', { timeout: TEST_TIMEOUT_MS }, async () => {
      const cuts: Cut[] = [];
      for (const how of ['fin', 'rst'] as const) {
        for (const connections of [1, Infinity]) {
          for (let bytes = 0; bytes <= sent; bytes += stride) cuts.push({ after: 'sent', bytes, how, connections });
          for (let bytes = 1; bytes <= received; bytes += stride)
            cuts.push({ after: 'received', bytes, how, connections });
        }
      }
      const started = performance.now();
      const { lies, counts } = await runAll(cuts, (server, cut) => runFaultCase(server.cut(cut), client, LIMIT_MS));
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(`${name}: ${cuts.length} cuts in ${seconds} s: ${JSON.stringify(counts)}`);
      expect(lies).toEqual([]);
      expect(unhandled).toEqual([]);
    });

    it('tells the truth when the server falls silent at any reply, or after any byte of it', {
      timeout: TEST_TIMEOUT_MS,
    }, async () => {
      const stalls: Cut[] = [];
      for (let bytes = 0; bytes <= sent; bytes += 3 * stride)
        stalls.push({ after: 'sent', bytes, how: 'stall', connections: 1 });
      const { lies } = await runAll(stalls, (server, cut) =>
        runFaultCase(server.cut(cut), { ...client, timeoutMs: STALL_MS }, LIMIT_MS),
      );
      expect(lies).toEqual([]);
    });

    it('tells the truth whatever any single reply is', { timeout: TEST_TIMEOUT_MS }, async () => {
      const steps = [
        'connect',
        client.lmtp ? 'LHLO' : 'EHLO',
        'MAIL',
        'RCPT',
        'DATA',
        'BDAT',
        'RSET',
        'message',
      ] as const;
      const replies: readonly (string | Fault)[] = [
        '421 4.3.2 Going down',
        '450 4.0.0 Later',
        '550 5.0.0 Never',
        '354 Go on',
        '250 2.0.0 Ok',
        '999 What',
        'hello',
        { reply: Buffer.from('250-one\r\n550 two\r\n') },
        { reply: Buffer.from('250 Ok\r\n250 Ok\r\n') },
        { reply: '250 2.0.0 Ok', end: 'fin' },
        { reply: '421 4.0.0 Bye', end: 'rst' },
        { reply: Buffer.from(`250 ${'x'.repeat(70_000)}\r\n`) },
      ];
      const cases = steps
        .flatMap((step) => replies.flatMap((reply) => Array.from({ length: 4 }, (_, skip) => ({ step, reply, skip }))))
        .filter((_, index) => index % replyStride === 0);
      const { lies } = await runAll(cases, (server, { step, reply, skip }) => {
        server.on(step, ({ count }) => (count === skip + 1 ? reply : undefined));
        return runFaultCase(server, { ...client, timeoutMs: STALL_MS }, LIMIT_MS);
      });
      expect(lies).toEqual([]);
      expect(MESSAGES).toHaveLength(3);
    });
  });
}
