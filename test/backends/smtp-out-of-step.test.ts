import { inspect } from 'node:util';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { connectTo, mails, mailTo, verbs } from './smtp-fixture.ts';

let server: ScriptedSmtpServer;

beforeAll(async () => {
  server = await ScriptedSmtpServer.start();
  return () => server.close();
});

afterEach(() => server.reset());

const offer = (...extensions: readonly string[]) => server.on('EHLO', ['250 localhost', ...extensions].join('\n'));
const retry = { attempts: 1, baseMs: 1, maxMs: 1 };

/** Whom the server took which subject for. */
function received(): readonly [subject: string, recipients: readonly string[]][] {
  return server.messages.map(({ bytes, envelope }) => [
    /^Subject: (.*)$/m.exec(Buffer.from(bytes).toString())?.[1]?.trim() ?? '',
    envelope.rcptTo,
  ]);
}

describe('a server that refuses RSET', () => {
  it('never gets the content of one mail for the recipients of another', async () => {
    offer('PIPELINING', 'CHUNKING');
    server.on('RSET', '502 5.5.1 Not here').once('DATA', '451 4.3.0 Later');
    const large = mailTo('ann@example.org', { subject: 'Report', body: 'x\n'.repeat(60_000) });
    const reset = mailTo('bob@example.org', { subject: 'Your password reset' });
    const status = await connectTo(server, { maxConnections: 1, retry }).sendMessages([large, reset]);
    expect(received()).toEqual([['Your password reset', ['bob@example.org']]]);
    expect(status.recipients.get('ann@example.org')).toMatchObject({ status: 'failed', retryable: true, code: 451 });
    expect(status.recipients.get('bob@example.org')?.status).toBe('sent');
  });

  it.each([[['PIPELINING', 'CHUNKING']], [['PIPELINING']], [[]]] as const)(
    'still gets every mail, with %j',
    async (extensions) => {
      offer(...extensions);
      server.on('RSET', '502 5.5.1 Not here');
      const status = await connectTo(server, { retry }).sendMessages(mails(30));
      expect([...status.recipients.values()].filter((recipient) => recipient.status !== 'sent')).toEqual([]);
      expect(server.messages).toHaveLength(30);
    },
  );
});

describe('a reply that comes before its command', () => {
  it('answers nothing: replies to all of a transaction at once do not make it sent', async () => {
    offer();
    server.once('MAIL', { reply: Buffer.from('250 Ok\r\n250 Ok\r\n354 Go on\r\n250 Ok\r\n') });
    const status = await connectTo(server, { retry }).sendMessages(mails(1), { failSilently: true });
    expect(status.recipients.get('user0@example.com')?.status).toBe('failed');
    expect(status.results[0]?.error).toMatchObject({ code: 'protocol', outcome: 'not-sent' });
    expect(server.messages).toEqual([]);
  });

  it.each([[['PIPELINING']], [[]]] as const)('is not the reply to the content, with %j', async (extensions) => {
    offer(...extensions);
    server.on('message', '554 5.7.1 Spam').on('DATA', { reply: Buffer.from('354 Go on\r\n250 Ok\r\n') });
    for (const body of ['short', 'long\n'.repeat(60_000)]) {
      const status = await connectTo(server, { retry }).sendMessages([mailTo('a@example.com', { body })], {
        failSilently: true,
      });
      expect(status.recipients.get('a@example.com')?.status).toBe('failed');
    }
    expect(server.messages).toEqual([]);
  });
});

describe('a server that answers BDAT with 5yz', () => {
  it.each(['500', '501', '502', '503', '504'])('as a command it does not know (%s) gets DATA', async (code) => {
    offer('PIPELINING', 'CHUNKING');
    server.on('BDAT', `${code} 5.5.1 What?`);
    const status = await connectTo(server, { maxConnections: 1 }).sendMessages(mails(5));
    expect([...status.recipients.values()].map((recipient) => recipient.status)).toEqual(Array(5).fill('sent'));
    expect(verbs(server).filter((verb) => verb === 'BDAT')).toHaveLength(1);
    expect(server.connections).toHaveLength(2);
    expect(server.messages).toHaveLength(5);
  });

  it('because no recipient is left can still do CHUNKING', async () => {
    offer('PIPELINING', 'CHUNKING');
    server.once('RCPT', '550 5.1.1 No such user');
    const backend = connectTo(server, { maxConnections: 1 });
    const status = await backend.sendMessages(mails(2));
    expect([...status.recipients.values()].map((recipient) => recipient.status)).toEqual(['invalid', 'sent']);
    expect(verbs(server).filter((verb) => verb === 'BDAT')).toHaveLength(2);
  });

  it('without reading its octets has every later reply taken for what it is', async () => {
    offer('PIPELINING', 'CHUNKING');
    // No chunk is swallowed: each of its lines is a command that is not known.
    server.once('RCPT', '550 5.1.1 No such user');
    server.once('BDAT', { reply: Buffer.from('503 5.5.1 No recipient\r\n500 5.5.2 What?\r\n500 5.5.2 What?\r\n') });
    const to = ['bad', 'ok1', 'ok2', 'ok3'].map((name) => `${name}@example.com`);
    const status = await connectTo(server, { maxConnections: 1, retry }).sendMessages(to.map((each) => mailTo(each)));
    expect(to.map((address) => status.recipients.get(address)?.status)).toEqual(['invalid', 'sent', 'sent', 'sent']);
    expect(server.messages.map(({ envelope }) => envelope.rcptTo)).toEqual(to.slice(1).map((each) => [each]));
  });

  it('is not asked for it with chunking: false, nor for PIPELINING with pipelining: false', async () => {
    await connectTo(server, { chunking: false }).sendMessages(mails(2));
    expect(verbs(server)).not.toContain('BDAT');
    server.reset();
    await connectTo(server, { pipelining: false }).sendMessages(mails(2));
    expect(verbs(server)).toEqual(['MAIL', 'RCPT', 'DATA', 'MAIL', 'RCPT', 'DATA']);
  });
});

describe('a server that accepts content', () => {
  it('although each recipient was one too many leaves all of them in doubt', async () => {
    offer('PIPELINING', 'CHUNKING');
    server.on('RCPT', '452 4.5.3 Too many recipients').on('BDAT', '250 2.0.0 Queued');
    const mail = mailTo(['a@example.com', 'b@example.com']);
    const status = await connectTo(server, { maxConnections: 1, retry }).sendMessages([mail], { failSilently: true });
    expect([...status.recipients.values()].map((recipient) => recipient.status)).toEqual(['unknown', 'unknown']);
  });
});

describe('what a server quotes of a mail', () => {
  const secret = 'Your code is 839-201, valid for ten minutes';
  const message = mailTo('ann@example.org', { subject: 'Sign in to Example', body: `Hello Ann.\n${secret}.\n` });

  it.each([
    ['MAIL', `550 5.7.1 Spam: ${secret}`],
    ['RCPT', `550 5.7.1 Spam (subject "Sign in to Example")`],
    ['message', `554-5.7.1 Rejected "Sign in to Example"\n554 5.7.1 Line: ${secret}.`],
    ['message', `250 2.0.0 Queued "${secret}"`],
  ] as const)('at %s shows nowhere', async (step, reply) => {
    server.on(step, reply);
    const lines: string[] = [];
    const backend = connectTo(server, { debug: (line) => lines.push(line) });
    const status = await backend.sendMessages([message], { failSilently: true });
    const all = inspect([status, [...status.recipients.values()], status.results, lines], {
      depth: 12,
      showHidden: true,
    });
    expect(all).not.toContain('839-201');
    expect(all).not.toContain('Sign in to');
    expect(all).toContain('[content]');
  });

  const LINES = Array.from({ length: 100 }, (_, index) => `secret line number ${index + 100} of this mail`);

  it.each([
    ['in a refusal of a hundred lines', 'message', ['554 5.7.1 Spam', ...LINES].join('\n')],
    ['behind more than anybody reads', 'message', `554 5.7.1 ${'x'.repeat(4_200)} ${LINES[0]}`],
    ['in a reply that is out of step', 'message', `354 ${LINES[0]}`],
    ['in what is no reply at all', 'message', Buffer.from(`${LINES[0]}\r\n`)],
    [
      'line by line, as commands it does not know',
      'RCPT',
      Buffer.from(['550 5.1.1 Gone', ...LINES.map((line) => `500 5.5.1 Unrecognized: "${line}"`), ''].join('\r\n')),
    ],
  ] as const)('%s shows nowhere', async (_, step, reply) => {
    offer('PIPELINING', 'CHUNKING');
    server.once(step, { reply });
    const lines: string[] = [];
    const backend = connectTo(server, { debug: (line) => lines.push(line), retry, maxConnections: 1 });
    const status = await backend.sendMessages([{ ...message, body: LINES.join('\n') }], { failSilently: true });
    const errors = status.results.map(({ error }) => [error, error?.transcript, error?.cause]);
    const all = inspect([status, [...status.recipients.values()], status.results, errors, lines], {
      depth: 12,
      showHidden: true,
      maxArrayLength: null,
      maxStringLength: null,
    });
    expect(all).not.toContain('secret line');
  });

  it('may be a word or two, and the address is no secret', async () => {
    server.on('message', '554 5.7.1 Hello Ann, no');
    const status = await connectTo(server).sendMessages([message], { failSilently: true });
    expect(status.results[0]?.espResponse).toEqual({ code: 554, enhancedCode: '5.7.1', text: 'Hello Ann, no' });
  });
});

describe('espResponse', () => {
  it('is the reply that decided: the one that took the mail, or else the first refusal', async () => {
    server.on('RCPT', ({ argument }) => (argument.includes('bad') ? '550 5.1.1 No such user' : undefined));
    server.on('message', '250 2.0.0 Ok: queued as 4711');
    const status = await connectTo(server).sendMessages([
      mailTo(['bad1@example.com', 'good@example.com']),
      mailTo(['bad1@example.com', 'bad2@example.com']),
    ]);
    expect(status.espResponse).toEqual([
      { code: 250, enhancedCode: '2.0.0', text: 'Ok: queued as 4711' },
      { code: 550, enhancedCode: '5.1.1', text: 'No such user' },
    ]);
  });
});
