import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SendError } from '../../src/model/errors.ts';
import type { Extension } from '../../src/smtp-server/extensions.ts';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { connectTo, mails, mailTo, verbs } from './smtp-fixture.ts';

let server: ScriptedSmtpServer;
let lmtp: ScriptedSmtpServer;

beforeAll(async () => {
  server = await ScriptedSmtpServer.start();
  lmtp = await ScriptedSmtpServer.start({ lmtp: true });
  return async () => {
    await server.close();
    await lmtp.close();
  };
});

afterEach(() => {
  server.reset();
  lmtp.reset();
});

function offer(...extensions: readonly (Extension | `SIZE ${number}` | `LIMITS RCPTMAX=${number}`)[]): void {
  server.on('EHLO', ['250 localhost', ...extensions].join('\n'));
}

async function sendError(promise: Promise<unknown>): Promise<SendError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (!(error instanceof SendError)) throw new Error(`no SendError: ${String(error)}`);
  return error;
}

describe('the commands of several messages', () => {
  it('go together where CHUNKING is offered, once RSET has been answered, RSET before every MAIL that follows unseen', async () => {
    const backend = connectTo(server, { maxConnections: 1 });
    await backend.sendMessages(mails(3));
    expect(verbs(server).slice(0, 4)).toEqual(['MAIL', 'RCPT', 'BDAT', 'RSET']);
    server.once('message', { delayMs: 60_000 });
    const abort = new AbortController();
    const sending = backend.sendMessages(mails(2), { signal: abort.signal, failSilently: true });
    await expect.poll(() => backend.stats().connections.inFlight).toBe(2);
    abort.abort();
    expect([...(await sending).recipients.values()].map(({ status }) => status)).toEqual(['unknown', 'unknown']);
  });

  it('follow the content of the one before where only PIPELINING is offered', async () => {
    offer('PIPELINING');
    const backend = connectTo(server, { maxConnections: 1 });
    await backend.sendMessages(mails(3));
    const before = verbs(server).length;
    await backend.sendMessages(mails(3));
    const mail = ['MAIL', 'RCPT', 'DATA'];
    expect(verbs(server).slice(before)).toEqual([...mail, 'RSET', ...mail, 'RSET', ...mail]);
  });

  it('go one at a time where neither is, and RSET only after a refusal', async () => {
    offer();
    server.once('message', '250 2.0.0 Ok').once('message', '451 4.0.0 Later');
    const status = await connectTo(server, { maxConnections: 1 }).sendMessages(mails(3));
    expect(verbs(server)).toEqual(['MAIL', 'RCPT', 'DATA', 'MAIL', 'RCPT', 'DATA', 'RSET', 'MAIL', 'RCPT', 'DATA']);
    expect(status.results.map(({ error }) => error?.code ?? null)).toEqual([null, 'temporary', null]);
  });

  it.each([[['PIPELINING', 'CHUNKING']], [['PIPELINING']], [[]]] as const)(
    'never send the content of a message whose sender is refused, with %j',
    async (extensions) => {
      offer(...extensions);
      server.on('MAIL', ({ count }) => (count === 2 ? '550 5.7.1 Not you' : undefined));
      const status = await connectTo(server, { maxConnections: 1 }).sendMessages(mails(3));
      expect(server.messages.map(({ envelope }) => envelope.rcptTo)).toEqual([
        ['user0@example.com'],
        ['user2@example.com'],
      ]);
      expect(status.results[1]?.error).toMatchObject({ code: 'rejected', phase: 'mail', reply: { code: 550 } });
      expect(status.recipients.get('user1@example.com')?.status).toBe('rejected');
    },
  );

  it('leave at most maxInFlight messages unanswered', async () => {
    const backend = connectTo(server, { maxConnections: 1, maxInFlight: 3, timeouts: { final: 1_000 } });
    await backend.sendMessages(mails(4));
    server.once('message', { reply: '250 2.0.0 Ok', delayMs: 60_000 });
    const status = await backend.sendMessages(mails(10), { failSilently: true });
    const statuses = [...status.recipients.values()].map((recipient) => recipient.status);
    expect(statuses.filter((name) => name === 'unknown')).toHaveLength(3);
  });
});

describe('a reply', () => {
  it('that is there in time counts, although the process was too busy to read it', async () => {
    // Right after the server wrote its reply, before anybody can read it.
    const block = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_200);
    offer('PIPELINING');
    server.on('message', () => void setImmediate(block));
    const status = await connectTo(server, { timeouts: { final: 1_000 } }).sendMessages(mails(1));
    expect(status.isSuccess).toBe(true);
  });
});

describe('recipients', () => {
  it.each([
    '452 4.5.3 Too many recipients',
    '452 Too many recipients',
    '451 4.5.3 Too many recipients',
    '550 5.5.3 Too many recipients',
    '552 Too many recipients',
  ])('beyond what a server takes at once go in further transactions, with the same bytes, after %s', async (reply) => {
    server.on('RCPT', ({ connection }) => {
      const since = connection.commands.lastIndexOf(
        connection.commands.findLast((line) => line.startsWith('MAIL')) ?? '',
      );
      return connection.commands.length - since - 1 > 2 ? reply : undefined;
    });
    const to = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@example.com`);
    const status = await connectTo(server).sendMessages([mailTo(to)]);
    expect(status.isSuccess).toBe(true);
    expect(server.messages.map(({ envelope }) => envelope.rcptTo.length)).toEqual([2, 2, 1]);
    expect(new Set(server.messages.map(({ bytes }) => Buffer.from(bytes).toString())).size).toBe(1);
    expect(verbs(server).filter((verb) => verb === 'RCPT')).toHaveLength(5 + 2 + 1);
  });

  it('are kept within LIMITS RCPTMAX from the start', async () => {
    offer('PIPELINING', 'LIMITS RCPTMAX=2');
    await connectTo(server).sendMessages([mailTo(['a@example.com', 'b@example.com', 'c@example.com'])]);
    expect(server.messages.map(({ envelope }) => envelope.rcptTo.length)).toEqual([2, 1]);
  });

  it.each([
    ['breaks', { end: 'rst' }, ['unknown', false], true],
    ['is closed with 421', '421 4.3.2 Going down', ['failed', true], true],
    ['is given up', { delayMs: 60_000 }, ['unknown', false], false],
  ] as const)(
    'that the server has not heard of when the connection %s have failed',
    async (_, fault, known, retryable) => {
      offer('PIPELINING', 'LIMITS RCPTMAX=2');
      const abort = new AbortController();
      server.on('message', () => {
        if (!retryable) setImmediate(() => abort.abort());
        return fault;
      });
      const to = ['a', 'b', 'c', 'd'].map((name) => `${name}@example.com`);
      const sending = connectTo(server).sendMessages([mailTo(to)], { signal: abort.signal });
      const { status } = await sendError(sending);
      const told = [...(status?.recipients.values() ?? [])];
      expect(told.map((recipient) => [recipient.status, recipient.retryable])).toEqual([
        known,
        known,
        ['failed', retryable],
        ['failed', retryable],
      ]);
    },
  );

  it('that are all too many are refused for now', async () => {
    server.on('RCPT', '452 4.5.3 Too many recipients');
    const error = await sendError(connectTo(server).sendMessages([mailTo('a@example.com')]));
    expect(error).toMatchObject({ code: 'temporary', retryable: true });
  });

  it.each([
    ['550 5.1.1 No such user', 'invalid', false],
    ['550 5.1.10 Null MX', 'invalid', false],
    ['553 Bad name', 'invalid', false],
    ['550 5.7.1 Blocked', 'rejected', false],
    ['550 No', 'rejected', false],
    ['552 5.2.2 Full', 'failed', true],
    ['450 4.2.0 Later', 'failed', true],
  ])('refused with %s are %s', async (reply, expected, retryable) => {
    server.on('RCPT', ({ argument }) => (argument.includes('bad@') ? reply : undefined));
    const status = await connectTo(server).sendMessages([mailTo(['good@example.com', 'bad@example.com'])]);
    expect(status.recipients.get('bad@example.com')).toMatchObject({
      status: expected,
      retryable,
      code: Number(reply.slice(0, 3)),
    });
    expect(status.recipients.get('good@example.com')?.status).toBe('sent');
    expect(status.recipients.get('bad@example.com')?.error?.transcript?.join('\n')).toContain(`S: ${reply}`);
  });

  it.each(['251 2.1.5 Will forward', '252 2.0.0 Will try'])('answered %s are accepted', async (reply) => {
    server.on('RCPT', reply);
    expect((await connectTo(server).sendMessages([mailTo('a@example.com')])).isSuccess).toBe(true);
  });

  it('get nothing when all are refused', async () => {
    server.on('RCPT', '550 5.1.1 Gone');
    const error = await sendError(connectTo(server).sendMessages([mailTo(['a@example.com', 'b@example.com'])]));
    expect(error.code).toBe('invalid-recipient');
    expect(error.status?.getFailedRecipients()).toEqual(['a@example.com', 'b@example.com']);
    expect(server.messages).toEqual([]);
  });
});

describe('a message', () => {
  it('that the server stops reading has failed when the time for data is over', async () => {
    const deaf = createServer((socket) => {
      socket.write('220 deaf\r\n');
      socket.on('data', (chunk) => {
        const isData = chunk.includes('DATA');
        socket.write(isData ? '354 Go on\r\n' : '250 Ok\r\n');
        if (isData) socket.pause();
      });
      socket.on('error', () => {});
    });
    await once(deaf.listen(0, '127.0.0.1'), 'listening');
    const { port } = deaf.address() as AddressInfo; // it listens on a port
    const backend = connectTo(server, { host: '127.0.0.1', port, timeouts: { data: 200 } });
    const body = `${'x'.repeat(70)}\r\n`.repeat(300_000);
    const error = await sendError(backend.sendMessages([mailTo('a@example.com', { body })]));
    expect(error).toMatchObject({ code: 'timeout', outcome: 'not-sent' });
    deaf.close();
  });

  it('declares its exact size, and is not begun when it is too large', async () => {
    await connectTo(server).sendMessages([mailTo('a@example.com')]);
    const declared = Number(/SIZE=(\d+)/.exec(server.commands.find((line) => line.startsWith('MAIL')) ?? '')?.[1]);
    expect(declared).toBe(server.messages[0]?.bytes.length);
    server.reset();
    offer('PIPELINING', 'SIZE 300');
    const error = await sendError(connectTo(server).sendMessages([mailTo('a@example.com', { body: 'x'.repeat(500) })]));
    expect(error).toMatchObject({ code: 'too-large', phase: 'mail', retryable: false });
    expect(error.message).toContain('the server takes 300');
    expect(verbs(server)).toEqual([]);
  });

  it.each([
    ['550 5.7.1 Spam', 'rejected', 'rejected'],
    ['552 5.3.4 Too big', 'rejected', 'too-large'],
    ['451 4.3.0 Later', 'failed', 'temporary'],
  ])('refused after its content with %s is %s', async (reply, expected, code) => {
    server.on('message', reply);
    const error = await sendError(connectTo(server).sendMessages([mailTo('a@example.com')]));
    expect(error).toMatchObject({ code, phase: 'final', outcome: 'not-sent' });
    expect(error.status?.recipients.get('a@example.com')?.status).toBe(expected);
  });

  it('with a local part beyond ASCII needs SMTPUTF8, a domain does not', async () => {
    await connectTo(server).sendMessages([mailTo('jörg@example.com'), mailTo('a@bücher.example')]);
    const lines = server.commands.filter((line) => /^(?:MAIL|RCPT)/.test(line));
    expect(lines[0]).toContain('SMTPUTF8');
    expect(lines[1]).toBe('RCPT TO:<jörg@example.com>');
    expect(lines[2]).not.toContain('SMTPUTF8');
    expect(lines[3]).toBe('RCPT TO:<a@xn--bcher-kva.example>');
    server.reset();
    offer('PIPELINING', '8BITMIME');
    const error = await sendError(connectTo(server).sendMessages([mailTo('jörg@example.com')]));
    expect(error).toMatchObject({ code: 'smtputf8-unavailable', phase: 'mail' });
    expect(verbs(server)).toEqual([]);
  });

  it('asks for delivery notices as RFC 3461 wants them written', async () => {
    const dsn = {
      notify: ['success', 'failure'],
      ret: 'headers',
      envid: 'order+1',
      orcpt: 'rfc822;a+b@example.com',
    } as const;
    await connectTo(server).sendMessages([
      mailTo('a@example.com', { dsn }),
      mailTo('b@example.com', { dsn: { notify: 'never' } }),
    ]);
    const lines = server.commands.filter((line) => /^(?:MAIL|RCPT)/.test(line));
    expect(lines[0]).toMatch(/ RET=HDRS ENVID=order\+2B1$/);
    expect(lines[1]).toBe('RCPT TO:<a@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+2Bb@example.com');
    expect(lines[3]).toBe('RCPT TO:<b@example.com> NOTIFY=NEVER');
    server.reset();
    offer('PIPELINING');
    expect(await sendError(connectTo(server).sendMessages([mailTo('a@example.com', { dsn })]))).toMatchObject({
      code: 'dsn-unavailable',
    });
  });

  it('that requires TLS does not go without', async () => {
    const error = await sendError(connectTo(server).sendMessages([mailTo('a@example.com', { requireTls: true })]));
    expect(error).toMatchObject({ code: 'requiretls-unavailable', outcome: 'not-sent' });
  });

  it('goes out under the envelope sender, the null sender too', async () => {
    const backend = connectTo(server);
    await backend.sendMessages([
      mailTo('a@example.com', { envelopeSender: 'bounce+a@example.com' }),
      mailTo('a@example.com', { envelopeSender: '' }),
    ]);
    expect(server.messages.map(({ envelope }) => envelope.mailFrom)).toEqual(['bounce+a@example.com', '']);
  });

  it.each([[['PIPELINING', 'CHUNKING']], [['PIPELINING']], [[]]] as const)(
    'of any size arrives byte for byte, with %j',
    async (extensions) => {
      offer(...extensions);
      const large = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256));
      const backend = connectTo(server);
      await backend.sendMessages([
        mailTo('a@example.com', { body: '.\n..\n.end\n', headers: { 'X-Dots': '.' } }),
        mailTo('b@example.com', { attachments: [{ filename: 'a.bin', content: large }] }),
        mailTo('c@example.com', { attachments: [{ filename: 'a.bin', content: streamOf(large) }] }),
      ]);
      expect(server.messages).toHaveLength(3);
      const contents = server.messages.map(({ bytes }) => Buffer.from(bytes).toString('latin1'));
      const attached = contents
        .slice(1)
        .map((content) => /base64\r\n(?:.+\r\n)*\r\n([A-Za-z0-9+/=\r\n]+)/.exec(content)?.[1] ?? '');
      for (const text of attached) expect(Buffer.from(text, 'base64').equals(large)).toBe(true);
    },
  );

  it('whose attachment cannot be read fails alone', async () => {
    const broken = {
      filename: 'a.txt',
      content: async function* () {
        yield Buffer.from('some');
        throw new Error('the disk is gone');
      },
    };
    const status = await connectTo(server, { maxConnections: 1 }).sendMessages([
      mailTo('a@example.com'),
      mailTo('b@example.com', { attachments: [broken] }),
      mailTo('c@example.com'),
    ]);
    expect([...status.recipients.values()].map((recipient) => recipient.status)).toEqual(['sent', 'failed', 'sent']);
    expect(status.results[1]?.error).toMatchObject({ code: 'source', outcome: 'not-sent' });
    expect(status.results[1]?.error?.message).toContain('the disk is gone');
  });
});

describe('content that was being read when the connection broke', () => {
  it.each([
    ['before the mail goes over another one', 'connect'],
    ['while the mail goes over another one', 'DATA'],
  ] as const)('says nothing about the mail when it fails %s', async (_, step) => {
    let opened = 0;
    let fail = (_error: Error): void => {};
    const broken = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    const onOtherConnection = (): undefined => {
      fail(new Error('the source timed out'));
    };
    async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
      yield Buffer.alloc(100_000);
      // It is read once for the size, then for each connection.
      if (++opened !== 2) return;
      setImmediate(() => {
        server.reset();
        server.on(step, onOtherConnection).once('message', { end: 'rst' });
      });
      await broken;
    }
    const mail = mailTo('a@example.com', { attachments: [{ filename: 'a.bin', content: read }] });
    const status = await connectTo(server).sendMessages([mail], { failSilently: true });
    expect(server.commands).toContain('RCPT TO:<a@example.com>');
    expect(status.recipients.get('a@example.com')).toMatchObject({ status: 'unknown', code: 'uncertain' });
  });
});

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += 7_001) yield bytes.subarray(at, at + 7_001);
}

describe('over LMTP', () => {
  it('every recipient has its own answer', async () => {
    lmtp.on('message', ['250 2.0.0 Ok', '552 5.2.2 Over quota', '451 4.2.0 Later']);
    const to = ['a@example.com', 'b@example.com', 'c@example.com'];
    const status = await connectTo(lmtp, { lmtp: true }).sendMessages([mailTo(to)]);
    expect(to.map((address) => status.recipients.get(address)?.status)).toEqual(['sent', 'rejected', 'failed']);
    expect(lmtp.commands[0]).toBe('LHLO client.example.com');
  });

  it('a recipient whose answer is missing is unknown', async () => {
    lmtp.once('message', { reply: Buffer.from('250 2.0.0 Ok\r\n'), end: 'fin' });
    const status = await connectTo(lmtp, { lmtp: true }).sendMessages([mailTo(['a@example.com', 'b@example.com'])]);
    expect([...status.recipients.values()].map((recipient) => recipient.status)).toEqual(['sent', 'unknown']);
  });
});
