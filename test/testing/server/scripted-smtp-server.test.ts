import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ScriptedSmtpServer } from '../../../src/testing/index.ts';
import { Client } from '../../smtp-server/client.ts';

const MAIL = 'EHLO client\r\nMAIL FROM:<a@x.org>\r\n';
const delays: { milliseconds: number; resolve: () => void }[] = [];
let server: ScriptedSmtpServer;

beforeEach(async () => {
  delays.length = 0;
  server = await ScriptedSmtpServer.start({
    extensions: ['PIPELINING'],
    delay: (milliseconds) => new Promise<void>((resolve) => delays.push({ milliseconds, resolve })),
  });
});
afterEach(() => server.close());

async function sendMail(client: Client): Promise<string> {
  await client.read();
  await client.command('EHLO client');
  await client.say('MAIL FROM:<a@x.org>\r\nRCPT TO:<b@y.org>\r\nDATA\r\n', 3);
  return client.say('Subject: x\r\n\r\nx\r\n.\r\n');
}

describe('a script', () => {
  test('answers at any step, every time, once, or by what was said', async () => {
    server
      .on('connect', '220 mx.example ready\nsecond line')
      .once('RCPT', '451 4.7.1 Try again')
      .on('RCPT', ({ argument, count }) =>
        argument === 'TO:<bob@y.org>' ? `550 5.1.1 No such user, try ${count}` : undefined,
      );
    const client = await Client.open(server.port);
    expect(await client.read()).toBe('220-mx.example ready\r\n220 second line\r\n');
    await client.command('EHLO client');
    await client.command('MAIL FROM:<a@x.org>');
    expect(await client.say('RCPT TO:<b@y.org>\r\nRCPT TO:<bob@y.org>\r\nRCPT TO:<c@y.org>\r\n', 3)).toBe(
      '451 Try again\r\n550 No such user, try 2\r\n250 Ok\r\n',
    );
    expect(await client.command('XYZZY')).toBe('500 Unknown command\r\n');
  });

  test('takes a mail only when its final reply is positive', async () => {
    server.once('message', '554 5.6.0 No');
    expect(await sendMail(await Client.open(server.port))).toBe('554 No\r\n');
    expect(server.messages).toEqual([]);
    expect(await sendMail(await Client.open(server.port))).toBe('250 Ok: received\r\n');
    expect(server.messages.map((mail) => mail.envelope.rcptTo)).toEqual([['b@y.org']]);
    expect(server.commands).toEqual(
      Array(2).fill(['EHLO client', 'MAIL FROM:<a@x.org>', 'RCPT TO:<b@y.org>', 'DATA']).flat(),
    );
  });

  test('sends octets as they are: half a line, two replies, a flood', async () => {
    server
      .once('EHLO', { reply: Buffer.from('250-mx\r\n250 PIPE'), end: 'fin' })
      .once('connect', { reply: Buffer.from('220 a\r\n220 b\r\n') })
      .once('connect', { reply: Buffer.from('220-x\r\n'.repeat(50_000)), end: 'fin' });
    const client = await Client.open(server.port);
    expect(await client.read(2)).toBe('220 a\r\n220 b\r\n');
    client.write('EHLO client\r\n');
    expect(await client.readToEnd()).toBe('250-mx\r\n250 PIPE');
    const flooded = await Client.open(server.port);
    expect(await flooded.readToEnd()).toHaveLength(350_000);
  });

  test('waits by the clock it was given, and obeys nothing more after an end', async () => {
    server.on('MAIL', { reply: '250 2.1.0 late', delayMs: 60_000, end: 'rst' });
    const client = await Client.open(server.port);
    await client.read();
    expect(await client.command('EHLO client')).toBe('250-localhost\r\n250 PIPELINING\r\n');
    client.write('MAIL FROM:<a@x.org>\r\nRCPT TO:<b@y.org>\r\n');
    await expect.poll(() => delays.length).toBe(1);
    expect(delays[0]?.milliseconds).toBe(60_000);
    delays[0]?.resolve();
    expect(await client.readToEnd()).toBe('250 late\r\n');
    expect(client.error).toBe('ECONNRESET');
    expect(server.commands).toEqual(['EHLO client', 'MAIL FROM:<a@x.org>']);
  });
});

describe('a cut', () => {
  test.each(['fin', 'rst'] as const)('with %s after so many octets sent', async (how) => {
    server.cut({ after: 'sent', bytes: 27, how });
    const client = await Client.open(server.port);
    await client.read();
    client.write(MAIL.slice(0, 13));
    expect(await client.readToEnd()).toBe('250-lo');
    expect(client.error).toBe(how === 'rst' ? 'ECONNRESET' : null);
    expect(server.connections[0]?.sent).toBe(27);
  });

  test.each(['fin', 'rst'] as const)('with %s after so many octets received, which are obeyed', async (how) => {
    server.cut({ after: 'received', bytes: 13, how });
    const client = await Client.open(server.port);
    await client.read();
    client.write(MAIL);
    expect(await client.readToEnd()).toBe('250-localhost\r\n250 PIPELINING\r\n');
    expect(client.error).toBe(how === 'rst' ? 'ECONNRESET' : null);
    expect(server.connections[0]?.received).toBe(13);
    expect(server.connections[0]?.transcript).toEqual([
      ...['S: 220 localhost ESMTP', 'C: EHLO client', 'S: 250-localhost', 'S: 250 PIPELINING'],
    ]);
  });

  test('by silence leaves the connection open', async () => {
    server.cut({ after: 'sent', bytes: 3, how: 'stall' });
    const client = await Client.open(server.port);
    client.write('EHLO client\r\n');
    await expect.poll(() => server.commands).toEqual(['EHLO client']);
    expect(server.openConnections).toBe(1);
    expect(server.connections[0]?.sent).toBe(3);
    client.close();
  });
});

test('reset begins again on the same port', async () => {
  const { port } = server;
  server.on('connect', '554 5.3.2 No service');
  const refused = await Client.open(port);
  expect(await refused.read()).toMatch(/^554/);
  server.reset();
  await refused.readToEnd();
  expect(server.connections).toEqual([]);
  expect(await sendMail(await Client.open(port))).toMatch(/^250/);
});

test('AUTH knows the users it was given', async () => {
  await using withUsers = await ScriptedSmtpServer.start({ users: { jane: 'secret' } });
  const client = await Client.open(withUsers.port);
  await client.read();
  expect(await client.command('EHLO client')).toContain('AUTH PLAIN LOGIN CRAM-MD5');
  const plain = (password: string): string => `AUTH PLAIN ${Buffer.from(`\0jane\0${password}`).toString('base64')}`;
  expect(await client.command(plain('wrong'))).toMatch(/^535 5\.7\.8/);
  expect(await client.command(plain('secret'))).toMatch(/^235 2\.7\.0/);
  expect(withUsers.connections[0]?.user).toBe('jane');
});
