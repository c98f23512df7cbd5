import { describe, expect, test } from 'vitest';
import type { Answer } from '../../src/smtp-server/hooks.ts';
import type { SmtpServerOptions } from '../../src/smtp-server/options.ts';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { Client } from './client.ts';

/** Says lines one after the other and checks the start of each reply. */
async function dialogue(
  options: SmtpServerOptions,
  lines: readonly (readonly [say: string, reply: string])[],
): Promise<void> {
  await using server = await SmtpServer.start(options);
  const client = await Client.open(server.port);
  await client.read();
  for (const [say, reply] of lines) {
    const got = await client.say(`${say}\r\n`);
    expect(`${say} -> ${got.slice(0, reply.length)}`).toBe(`${say} -> ${reply}`);
  }
  client.close();
}

const MAIL = [
  ['MAIL FROM:<a@x.org>', '250 2.1.0'],
  ['RCPT TO:<b@x.org>', '250 2.1.5'],
] as const;

describe('commands', () => {
  test('in the wrong order are refused, and the right ones still work', () =>
    dialogue({}, [
      ['MAIL FROM:<a@x.org>', '503 5.5.1'],
      ['EHLO', '501 5.5.4'],
      ['LHLO x', '500 5.5.1'],
      ['ehlo x', '250-localhost'],
      ['RCPT TO:<b@x.org>', '503 5.5.1'],
      ['DATA', '503 5.5.1'],
      ['BDAT 2 LAST\r\n', '503 5.5.1'],
      ['mail from:<a@x.org>', '250 2.1.0'],
      ['MAIL FROM:<a@x.org>', '503 5.5.1'],
      ['DATA', '554 5.5.1'],
      ['RCPT TO:<>', '501 5.5.4'],
      ['rcpt to: <b@x.org>', '250 2.1.5'],
      ['BDAT 2\r\n', '250 2.0.0'],
      ['RCPT TO:<c@x.org>', '503 5.5.1'],
      ['DATA', '503 5.5.1'],
      ['BDAT 0 LAST', '250 2.0.0'],
      ['RSET', '250 2.0.0'],
      ...MAIL,
      ['HELO x', '250 localhost'],
      ['RCPT TO:<b@x.org>', '503 5.5.1'],
      ['NOOP', '250 2.0.0'],
      ['VRFY x', '252 2.5.0'],
      ['HELP', '214 2.0.0'],
      ['STARTTLS', '503 5.5.1'],
      ['AUTH PLAIN', '504 5.5.4'],
      ['GET / HTTP/1.1', '500 5.5.1'],
      ['a\tb\x07', '500 5.5.2'],
      ['', '500 5.5.1'],
    ]));

  test('have parameters only as they were offered', () =>
    dialogue({ maxSize: 1000 }, [
      ['EHLO x', '250-localhost'],
      ['MAIL FROM:<a@x.org> SIZE=1001', '552 5.3.4'],
      ['MAIL FROM:<a@x.org> SIZE=x', '501 5.5.4'],
      ['MAIL FROM:<a@x.org> BODY=9BIT', '501 5.5.4'],
      ['MAIL FROM:<a@x.org> AUTH=<>', '555 5.5.4'],
      ['MAIL FROM:<a@x.org> X=1', '555 5.5.4'],
      ['MAIL FROM:<a@x.org> REQUIRETLS', '555 5.5.4'],
      ['MAIL FROM:<ä@x.org>', '553 5.6.7'],
      ['MAIL FROM:<ä@x.org> SMTPUTF8 RET=HDRS ENVID=x', '250 2.1.0'],
      ['RCPT TO:<ü@x.org> NOTIFY=NEVER,FAILURE', '501 5.5.4'],
      ['RCPT TO:<ü@x.org> NOTIFY=SUCCESS,FAILURE ORCPT=utf-8;ü@x.org', '250 2.1.5'],
      ['RSET', '250'],
      ['MAIL FROM:<a@x.org> BODY=BINARYMIME', '250'],
      ['RCPT TO:<ü@x.org>', '553 5.6.7'],
      ['RCPT TO:<b@x.org>', '250'],
      ['DATA', '503 5.5.1'],
    ]));

  test('are unknown when their extension is not offered, and codes are plain then', () =>
    dialogue({ extensions: [] }, [
      ['EHLO x', '250 localhost'],
      ['MAIL FROM:<a@x.org> SIZE=1', '555 The parameter'],
      ['MAIL FROM:<a@x.org>', '250 Ok'],
    ]));

  test('too long a line ends the connection', async () => {
    await using server = await SmtpServer.start();
    const client = await Client.open(server.port);
    await client.read();
    client.write(`NOOP ${'x'.repeat(5000)}`);
    expect(await client.readToEnd()).toMatch(/^500 5\.5\.6/);
  });

  test('a line that ends with LF alone ends the connection', async () => {
    await using server = await SmtpServer.start();
    const client = await Client.open(server.port);
    await client.read();
    client.write('EHLO x\nMAIL FROM:<a@x.org>\r\n');
    expect(await client.readToEnd()).toMatch(/^521 5\.5\.2 .*\r\n$/);
  });

  test('BDAT without a size ends the connection, since its octets could be read as commands', async () => {
    await using server = await SmtpServer.start();
    const client = await Client.open(server.port);
    await client.read();
    client.write('EHLO x\r\nBDAT x\r\nQUIT\r\n');
    expect(await client.readToEnd()).toMatch(/501 5\.5\.4 [^\n]*\r\n$/);
  });
});

describe('content', () => {
  const start = [['EHLO x', '250'], ...MAIL] as const;

  test.each([
    ['DATA\r\na\nb\r\n.', '550 5.6.11'],
    ['DATA\r\na\rb\r\n.', '550 5.6.11'],
    ['DATA\r\na\r\n.\nb\r\n.', '550 5.6.11'],
    ['BDAT 3 LAST\r\na\nb', '550 5.6.11'],
  ])('with a bare CR or LF is refused: %j', async (say, reply) => {
    await using server = await SmtpServer.start();
    const client = await Client.open(server.port);
    await client.read();
    for (const [line] of start) await client.command(line);
    const replies = await client.say(say.startsWith('DATA') ? `${say}\r\n` : say, say.startsWith('DATA') ? 2 : 1);
    expect(replies.split('\r\n').at(-2)).toMatch(new RegExp(`^${reply}`));
    client.close();
  });

  test('with a bare CR or LF is kept where it may be: asked for, or BINARYMIME', async () => {
    const kept: string[] = [];
    const onMessage: SmtpServerOptions['onMessage'] = ({ bytes }) => {
      kept.push(Buffer.from(bytes).toString());
    };
    await dialogue({ bareNewlines: 'keep', onMessage }, [...start, ['DATA', '354'], ['a\nb\r\n.', '250']]);
    await dialogue({ onMessage }, [
      ['EHLO x', '250'],
      ['MAIL FROM:<a@x.org> BODY=BINARYMIME', '250'],
      ['RCPT TO:<b@x.org>', '250'],
      ['BDAT 5 LAST\r\na\rb', '250'],
    ]);
    expect(kept[0]).toBe('a\nb\r\n');
    expect(kept[1]).toBe('a\rb\r\n');
  });

  test('over maxSize is read to its end and refused', () =>
    dialogue({ maxSize: 10 }, [
      ...start,
      ['DATA', '354'],
      [`${'x'.repeat(100)}\r\n.`, '552 5.3.4'],
      ...MAIL,
      [`BDAT 100 LAST\r\n${'x'.repeat(98)}`, '552 5.3.4'],
      ...MAIL,
    ]));

  test('after a refused chunk is refused up to RSET', () =>
    dialogue(
      { onCommand: (verb, argument) => (verb === 'BDAT' && argument === '3' ? '451 4.3.0 No room' : undefined) },
      [
        ...start,
        ['BDAT 3\r\nx', '451 4.3.0'],
        ['BDAT 2 LAST\r\n', '503 5.5.1'],
        ['RSET', '250'],
        ...MAIL,
        ['BDAT 2 LAST\r\n', '250'],
      ],
    ));
});

describe('hooks', () => {
  test('decide every reply, at once or later', () => {
    const later = (answer: Answer): Promise<Answer> => Promise.resolve().then(() => answer);
    return dialogue(
      {
        onCommand: (verb) => (verb === 'NOOP' ? later('250 2.0.0 later') : undefined),
        onMail: (address) => (address === '' ? later('550 5.7.1 No bounces') : undefined),
        onRcpt: async (address) => (address === 'nobody@x.org' ? '550 5.1.1 No such user' : undefined),
        onMessage: async () => '250 2.0.0 stored',
      },
      [
        ['NOOP', '250 2.0.0 later'],
        ['EHLO x', '250'],
        ['MAIL FROM:<>', '550 5.7.1 No bounces'],
        ['MAIL FROM:<a@x.org>', '250 2.1.0'],
        ['RCPT TO:<nobody@x.org>', '550 5.1.1 No such user'],
        ['RCPT TO:<b@x.org>', '250 2.1.5'],
        ['DATA', '354'],
        ['x\r\n.', '250 2.0.0 stored'],
      ],
    );
  });

  test('that throw say so in a temporary refusal, and the server lives on', () =>
    dialogue(
      {
        onMail: () => {
          throw new Error('no\r\ndisk');
        },
        onRcpt: () => Promise.reject(new Error('no database')),
      },
      [
        ['EHLO x', '250'],
        ['MAIL FROM:<a@x.org>', "451 4.3.0 The receiver's hook failed: no disk"],
        ['NOOP', '250'],
      ],
    ));

  test('keep the order of pipelined commands, however long they take', async () => {
    const waiting: (() => void)[] = [];
    const seen: string[] = [];
    await using server = await SmtpServer.start({
      onRcpt: (address) => {
        seen.push(address);
        return new Promise((resolve) => waiting.push(() => resolve(undefined)));
      },
    });
    const client = await Client.open(server.port);
    await client.read();
    client.write('EHLO x\r\nMAIL FROM:<a@x.org>\r\nRCPT TO:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nNOOP\r\n');
    await client.read(2);
    expect(seen).toEqual(['a@x.org']);
    waiting.shift()?.();
    await client.read();
    await expect.poll(() => seen).toEqual(['a@x.org', 'b@x.org']);
    waiting.shift()?.();
    expect(await client.read(2)).toBe('250 2.1.5 Ok\r\n250 2.0.0 Ok\r\n');
    client.close();
  });

  test('may answer 421, which ends the connection', async () => {
    await using server = await SmtpServer.start({ onConnect: () => '421 4.3.2 Not now' });
    const client = await Client.open(server.port);
    expect(await client.readToEnd()).toBe('421 4.3.2 Not now\r\n');
  });

  test('may refuse the client, who can then only quit', async () => {
    await using server = await SmtpServer.start({ onConnect: () => '554 5.7.1 Not you' });
    const client = await Client.open(server.port);
    expect(await client.read()).toBe('554 5.7.1 Not you\r\n');
    expect(await client.command('EHLO x')).toMatch(/^503/);
    expect(await client.command('QUIT')).toMatch(/^221/);
  });
});

describe('limits', () => {
  test('of recipients', () =>
    dialogue({ maxRecipients: 1 }, [
      ['EHLO x', '250'],
      ...MAIL,
      ['RCPT TO:<c@x.org>', '452 4.5.3'],
      ['DATA', '354'],
      ['x\r\n.', '250'],
    ]));

  test('of connections', async () => {
    await using server = await SmtpServer.start({ maxConnections: 1 });
    const first = await Client.open(server.port);
    await first.read();
    const second = await Client.open(server.port);
    expect(await second.readToEnd()).toBe('421 4.7.0 Too many connections\r\n');
    first.close();
    await expect.poll(() => server.connections).toBe(0);
    expect(await (await Client.open(server.port)).read()).toMatch(/^220/);
    expect(server.accepted).toBe(2);
  });

  test('of idle time', async () => {
    await using server = await SmtpServer.start({ idleTimeoutMs: 30 });
    const client = await Client.open(server.port);
    expect(await client.readToEnd()).toMatch(/^220 .*\r\n421 4\.4\.2 /);
  });

  test('of what waits to be sent to a client that does not read', async () => {
    let commands = 0;
    await using server = await SmtpServer.start({
      onCommand: () => {
        commands += 1;
        return `250 ${'x'.repeat(1000)}`;
      },
    });
    const client = await Client.open(server.port);
    client.stopReading();
    client.write('NOOP\r\n'.repeat(500_000));
    const settled = async (): Promise<boolean> => {
      const before = commands;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return commands === before && commands > 0;
    };
    await expect.poll(settled).toBe(true);
    expect(commands).toBeLessThan(100_000);
    client.close();
  });
});

describe('strictPipelining', () => {
  test.each([
    ['EHLO x\r\nNOOP\r\n', undefined],
    ['EHLO x\r\n', 'MAIL FROM:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\nx\r\n.\r\n'],
  ])('refuses what runs ahead: %j %j', async (first, second) => {
    await using server = await SmtpServer.start({ strictPipelining: true });
    const client = await Client.open(server.port);
    await client.read();
    client.write(first);
    if (second !== undefined) {
      await client.read();
      client.write(second);
    }
    expect(await client.readToEnd()).toMatch(/554 5\.5\.0 [^\n]*\r\n$/);
  });

  test('refuses a client that does not wait for the greeting', async () => {
    const greet: ((answer: Answer) => void)[] = [];
    let received = 0;
    await using server = await SmtpServer.start({
      strictPipelining: true,
      onConnect: () => new Promise((resolve) => greet.push(resolve)),
      onReceive: (bytes) => {
        received += bytes.length;
        return bytes;
      },
    });
    const client = await Client.open(server.port);
    client.write('EHLO x\r\n');
    await expect.poll(() => received).toBe(8);
    greet[0]?.(undefined);
    expect(await client.readToEnd()).toMatch(/^554 5\.5\.0/);
  });

  test('lets pass what RFC 2920 allows', async () => {
    await using server = await SmtpServer.start({ strictPipelining: true });
    const client = await Client.open(server.port);
    await client.read();
    await client.command('EHLO x');
    await client.say('RSET\r\nMAIL FROM:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\n', 4);
    const next = 'x\r\n.\r\nRSET\r\nMAIL FROM:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nBDAT 2 LAST\r\n\r\nRSET\r\n';
    expect(await client.say(next, 6)).toMatch(/^(250 .*\r\n){6}$/);
    client.close();
  });
});

test.each([
  ['at once', undefined],
  [
    'while a hook thinks',
    () => new Promise<Answer>((resolve) => setImmediate(() => setImmediate(() => resolve(undefined)))),
  ],
])('what follows STARTTLS in clear, %s, is never obeyed', async (_when, think) => {
  const onCommand = (verb: string): Promise<Answer> | undefined => (verb === 'STARTTLS' ? think?.() : undefined);
  await using server = await SmtpServer.start({ tls: 'generate', onCommand });
  const client = await Client.open(server.port);
  await client.read();
  await client.command('EHLO x');
  client.write('STARTTLS\r\nMAIL FROM:<evil@x.org>\r\n');
  expect(await client.readToEnd()).toMatch(/^554 5\.5\.0 [^\n]*\r\n$/);
});

test('a client that only ends its own side still gets its answers', async () => {
  await using server = await SmtpServer.start({ onMessage: () => Promise.resolve('250 2.0.0 late') });
  const client = await Client.open(server.port);
  client.write('EHLO x\r\nMAIL FROM:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\nx\r\n.\r\n');
  client.endWriting();
  expect(await client.readToEnd()).toMatch(/354 .*\r\n250 2\.0\.0 late\r\n$/);
});

test('close ends every connection', async () => {
  const server = await SmtpServer.start();
  const clients = await Promise.all(Array.from({ length: 20 }, () => Client.open(server.port)));
  await Promise.all(clients.map((client) => client.read()));
  await server.close();
  await Promise.all(clients.map((client) => client.readToEnd()));
});
