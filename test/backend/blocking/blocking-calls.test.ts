import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';
import {
  AfterSend,
  Attachment,
  BeforeSend,
  ConfigurationError,
  DummyBackend,
  type EmailBackend,
  EmailConnectionError,
  EmailError,
  failover,
  getConnection,
  MessageError,
  retry,
  SendError,
  sendMailSync,
} from 'amsdal-mail';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../servers/process.ts';

// What is built: a worker thread cannot load TypeScript.
const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-sync-'));
const backends = fileURLToPath(new URL('backends.js', import.meta.url));
let server: ChildProcess;
let port = 0;
let tokenPort = 0;

beforeAll(async () => {
  server = spawn(process.execPath, [fileURLToPath(new URL('server.js', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (!server.stdout) throw new Error('the server has no output');
  const [first] = await once(server.stdout, 'data');
  [port = 0, tokenPort = 0] = String(first).split(' ').map(Number);
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  server.stdin?.end();
  await once(server, 'exit');
});

const mail = (subject: string, more: object = {}) => ({
  subject,
  body: 'text',
  fromEmail: 'a@x.org',
  to: `${subject}@x.org`,
  ...more,
});

function failure(call: () => unknown): EmailError {
  try {
    call();
  } catch (error) {
    if (error instanceof EmailError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('over smtp', () => {
  const connections: EmailBackend[] = [];
  const smtp = (options: object = {}) => {
    const connection = getConnection('smtp', { host: '127.0.0.1', port, ...options });
    connections.push(connection);
    return connection;
  };
  afterEach(() => {
    for (const connection of connections.splice(0)) connection.closeSync();
  });

  test('a thousand calls, and a thousand messages in one', () => {
    const connection = smtp();
    for (let call = 0; call < 1_000; call++) {
      const status = connection.sendMessagesSync([mail(`call-${call}`)]);
      if (!status.isSuccess) expect(status).toMatchObject({ isSuccess: true });
    }
    const many = connection.sendMessagesSync(Array.from({ length: 1_000 }, (_, index) => mail(`many-${index}`)));
    expect(many.getSuccessfulRecipients()).toHaveLength(1_000);
    expect(many.results.map(({ index }) => index)).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
    expect(connection.stats().recipients.sent).toBe(2_000);
  });

  test('recipients that are refused have their reply', () => {
    const status = smtp().sendMessagesSync([mail('one', { to: ['yes@x.org', 'no-body@x.org'] })]);
    expect(status.recipients.get('yes@x.org')?.status).toBe('sent');
    expect(status.recipients.get('no-body@x.org')).toMatchObject({
      status: 'invalid',
      code: 550,
      enhancedCode: '5.1.1',
    });
    const error = failure(() => smtp().sendMessagesSync([mail('no-body')]));
    expect(error).toBeInstanceOf(SendError);
    expect(error).toMatchObject({ code: 'invalid-recipient', phase: 'rcpt' });
    expect(error.status?.getFailedRecipients()).toEqual(['no-body@x.org']);
  });

  test('errors of the connection keep class, code and facts', () => {
    const options = { username: 'mailer', password: 'wrong', allowInsecureAuth: true };
    const error = failure(() => smtp(options).sendMessagesSync([mail('one')]));
    expect(error).toBeInstanceOf(EmailConnectionError);
    expect(error).toMatchObject({ name: 'EmailConnectionError', code: 'auth', phase: 'auth', reply: { code: 535 } });
    expect(JSON.stringify(error)).not.toContain('wrong');
    expect(error.stack).toContain('EmailConnectionError');
    const nobody = failure(() => smtp({ port: 1 }).sendMessagesSync([mail('one')]));
    expect(nobody).toBeInstanceOf(EmailConnectionError);
    expect(nobody.code).toBe('refused');
    expect(smtp({ port: 1 }).sendMessagesSync([mail('one')], { failSilently: true })).toMatchObject({
      hasFailures: true,
    });
  });

  test('the connection is kept, until closeSync', () => {
    const connection = smtp();
    for (let call = 0; call < 3; call++) connection.sendMessagesSync([mail('kept')]);
    connection.closeSync();
    connection.closeSync();
    expect(connection.sendMessagesSync([mail('again')]).isSuccess).toBe(true);
  });

  test('options that cannot cross are named', () => {
    const error = failure(() =>
      smtp({ debug: () => {}, accessToken: () => 'x', username: 'u' }).sendMessagesSync([mail('one')]),
    );
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ code: 'not-blocking' });
    expect(error.message).toContain('debug, accessToken');
    expect(smtp().sendMessagesSync([mail('one')]).isSuccess).toBe(true);
  });

  test('a login by OAuth 2.0 gets its token in the worker; a callback cannot cross', async () => {
    const [closed] = await freePorts(1);
    const login = { clientId: 'app', refreshToken: 's3cr3t', tokenUrl: `http://127.0.0.1:${tokenPort}/token` };
    const options = { username: 'mailer', allowInsecureAuth: true };
    const connection = smtp({ ...options, oauth2: login });
    for (let call = 0; call < 2; call++) expect(connection.sendMessagesSync([mail('token')]).isSuccess).toBe(true);
    const told = smtp({ ...options, oauth2: { ...login, onRefreshToken: () => {} } });
    const error = failure(() => told.sendMessagesSync([mail('one')]));
    expect(error).toMatchObject({ code: 'not-blocking', message: expect.stringContaining('oauth2.onRefreshToken') });
    const refused = smtp({ ...options, oauth2: { ...login, tokenUrl: `http://127.0.0.1:${closed}/token` } });
    const lost = failure(() => refused.sendMessagesSync([mail('one')]));
    expect(lost).toMatchObject({ code: 'refused', phase: 'auth', retryable: true });
    expect(JSON.stringify([error, lost])).not.toContain('s3cr3t');
  });

  test('wrappers block as what they are made of does', () => {
    const dummy = new DummyBackend({ store: true });
    dummy.refuse('one@x.org', 451);
    const status = failover([dummy, smtp()]).sendMessagesSync([mail('one')]);
    expect(status.recipients.get('one@x.org')).toMatchObject({ status: 'sent', via: 'smtp' });
  });

  test('a retry around it leaves no further tries to it', () => {
    const connection = retry(smtp({ retry: { attempts: 3, baseMs: 1 } }), { attempts: 2, baseMs: 1 });
    const status = connection.sendMessagesSync([mail('later-one')], { failSilently: true });
    const one = status.recipients.get('later-one@x.org');
    expect(one?.tries).toHaveLength(2);
    expect(one?.response).toContain('Try 2');
  });

  test('a server in this very thread is refused at once', async () => {
    const { createServer } = await import('node:net');
    const own = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(own, 'listening');
    const address = own.address();
    const ownPort = typeof address === 'object' ? address?.port : 0;
    const error = failure(() => smtp({ port: ownPort }).sendMessagesSync([mail('one')]));
    expect(error).toMatchObject({ code: 'not-blocking' });
    expect(error.message).toContain(`port ${ownPort} is served by this very thread`);
    own.close();
  });
});

describe('through a proxy', () => {
  let proxy: ChildProcess;
  let proxyPort = 0;

  beforeAll(async () => {
    proxy = spawn(process.execPath, [fileURLToPath(new URL('proxy.js', import.meta.url))], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (!proxy.stdout) throw new Error('the proxy has no output');
    const [first] = await once(proxy.stdout, 'data');
    proxyPort = Number(String(first));
  });
  afterAll(async () => {
    const isOver = once(proxy, 'exit');
    proxy.stdin?.end();
    await isOver;
  });

  const connections: EmailBackend[] = [];
  const through = (login: string, more: object = {}): EmailBackend => {
    const proxyUrl = `http://${login}@127.0.0.1:${proxyPort}`;
    const connection = getConnection('smtp', { host: '127.0.0.1', port, proxy: proxyUrl, ...more });
    connections.push(connection);
    return connection;
  };
  afterEach(() => {
    for (const connection of connections.splice(0)) connection.closeSync();
  });

  test('a blocking call sends, and shows no login where it fails', () => {
    const connection = through('user:p%C3%A4ss');
    const init = { subject: 'one', message: 'text', fromEmail: 'a@x.org', recipientList: ['one@x.org'] };
    expect(sendMailSync({ ...init, connection }).isSuccess).toBe(true);
    const error = failure(() => through('user:S3cr3tWord').sendMessagesSync([mail('one')]));
    expect(error).toMatchObject({ name: 'EmailConnectionError', code: 'auth', phase: 'connect' });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('S3cr3tWord');
  });

  test('a server of this thread is not the one that is meant', async () => {
    const { createServer } = await import('node:net');
    const own = createServer().listen(0, '127.0.0.1');
    await once(own, 'listening');
    const address = own.address();
    const ownPort = typeof address === 'object' ? address?.port : 0;
    const error = failure(() => through('user:wrong', { port: ownPort }).sendMessagesSync([mail('one')]));
    own.close();
    expect(error).toMatchObject({ code: 'auth', phase: 'connect' });
  });
});

describe('a custom backend by specifier', () => {
  test('gets its options and messages as they are', () => {
    const bytes = Buffer.from('0102030405', 'hex');
    const path = join(folder, 'a.bin');
    writeFileSync(path, 'file');
    const connection = getConnection(`${backends}#Echo`, { apiKey: 'k', nested: { list: [1, new Date(5)] } });
    const status = connection.sendMessagesSync([
      mail('one', {
        date: new Date(1_000),
        attachments: [{ content: 'text' }, { content: bytes.subarray(1, 3) }, Attachment.fromFile(path)],
      }),
    ]);
    expect(status.espResponse).toEqual({
      options: { apiKey: 'k', nested: { list: [1, new Date(5)] } },
      subject: 'one',
      tags: [],
      date: new Date(1_000),
      contents: ['text', '0203', Buffer.from('file').toString('hex')],
      memory: [null, 2, 4],
    });
  });

  test("content that cannot be had is that message's fault alone", () => {
    const path = join(folder, 'gone.bin');
    writeFileSync(path, 'file');
    const gone = Attachment.fromFile(path);
    unlinkSync(path);
    const connection = getConnection(`${backends}#Echo`);
    const status = connection.sendMessagesSync([
      mail('one', { attachments: [gone] }),
      mail('two', { attachments: [{ content: new Blob(['x']) }] }),
      mail('three'),
    ]);
    expect(status.results.map(({ error }) => error?.name ?? null)).toEqual(['MessageError', 'MessageError', null]);
    expect(status.results[0]?.error).toMatchObject({
      outcome: 'not-sent',
      message: expect.stringContaining('gone.bin'),
    });
    expect(status.results[1]?.error?.message).toContain('a blocking call cannot read a Blob or a stream');
    expect(failure(() => connection.sendMessagesSync([mail('one', { attachments: [gone] })]))).toBeInstanceOf(
      MessageError,
    );
  });

  test.each(['Exits', 'ThrowsOutside', 'RejectsUnheard'])(
    '%s: the worker ends, the outcome is unknown, and the next call works',
    (name) => {
      const error = failure(() => getConnection(`${backends}#${name}`).sendMessagesSync([mail('one'), mail('two')]));
      expect(error).toMatchObject({ name: 'SendError', code: 'uncertain', outcome: 'unknown', retryable: false });
      expect(error.message).toContain('the worker thread of blocking calls ended');
      expect(error.status?.isUncertain).toBe(true);
      expect(getConnection(`${backends}#Echo`).sendMessagesSync([mail('one')]).isSuccess).toBe(true);
    },
  );

  test('a worker that runs out of memory, which is told of no event, is noticed by its silence', async () => {
    const child = fileURLToPath(new URL('memory-child.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=64', child, backends]);
    expect(stdout).toBe('["uncertain","unknown","unknown"]true');
  });

  test('a worker that is busy is not taken for dead', () => {
    expect(getConnection(`${backends}#IsBusy`).sendMessagesSync([mail('one')]).isSuccess).toBe(true);
  });

  test('a worker that ends between two calls is not missed', async () => {
    const connection = getConnection(`${backends}#EndsLater`);
    for (let call = 0; call < 3; call++) {
      expect(connection.sendMessagesSync([mail('one')]).isSuccess).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 100)); // the end of a thread that nobody is told of
    }
    connection.closeSync();
  });

  test('its errors arrive as they were thrown', () => {
    const error = failure(() => getConnection(`${backends}#Throws`).sendMessagesSync([mail('one')]));
    expect(error).toBeInstanceOf(EmailConnectionError);
    expect(error).toMatchObject({
      code: 'auth',
      phase: 'auth',
      message: 'no entry',
      reply: { code: 535, enhancedCode: '5.7.8', text: 'no' },
      transcript: ['C: AUTH'],
      cause: { name: 'Error', message: 'deeper', code: 'EDEEP' },
    });
    expect(Object.prototype.toString.call(error)).toBe('[object Error]');
  });

  test('one that cannot be made in the worker, or closed there, does not hang', () => {
    expect(failure(() => getConnection(`${backends}#CannotBeMade`).sendMessagesSync([mail('one')])).message).toContain(
      'broken constructor',
    );
    const connection = getConnection(`${backends}#CannotBeClosed`);
    expect(connection.sendMessagesSync([mail('one')]).isSuccess).toBe(true);
    connection.closeSync();
    expect(connection.sendMessagesSync([mail('one')]).isSuccess).toBe(true);
  });

  test.each<[string, object, string]>([
    ['functions', { transport: { open: () => {} }, ok: 1 }, 'transport.open'],
    ['objects of classes', { when: new Date(), client: new (class Client {})(), seen: new Map() }, 'client, seen'],
    ['symbols', { list: [Symbol('x')] }, 'list.0'],
  ])('%s in its options cannot cross', (_, options, names) => {
    const error = failure(() => getConnection(`${backends}#Echo`, options).sendMessagesSync([mail('one')]));
    expect(error).toMatchObject({ name: 'ConfigurationError', code: 'not-blocking' });
    expect(error.message).toContain(`with ${names}:`);
  });
});

test('a class that only this thread knows is refused', async () => {
  const { Echo } = await import(backends);
  const error = failure(() => new Echo({}).sendMessagesSync([mail('one')]));
  expect(error).toMatchObject({ name: 'ConfigurationError', code: 'not-blocking' });
  expect(error.message).toContain("get it by name or by 'specifier#Export'");
});

describe('in the calling thread', () => {
  test('dummy sends without a worker, hooks included', () => {
    const seen: string[] = [];
    const stops = [
      BeforeSend.subscribe((context, next) =>
        next({ ...context, message: context.message.with({ subject: 'changed' }) }),
      ),
      AfterSend.subscribe((context, next) => {
        seen.push(context.message.subject);
        return next(context);
      }),
    ];
    const connection = new DummyBackend({ store: true });
    const status = connection.sendMessagesSync([mail('one'), mail('bad', { to: [] })]);
    for (const stop of stops) stop();
    expect(seen).toEqual(['changed']);
    expect(status.results.map(({ error }) => error?.code ?? null)).toEqual([null, 'invalid-message']);
    expect(connection.messages[0]?.subject).toBe('changed');
  });

  test('an asynchronous hook is refused before anything is sent', () => {
    const stop = BeforeSend.subscribe(async (context, next) => next(context));
    const connection = new DummyBackend({ store: true });
    const error = failure(() => connection.sendMessagesSync([mail('one')]));
    stop();
    expect(error).toMatchObject({ name: 'ConfigurationError', code: 'not-blocking' });
    expect(connection.messages).toEqual([]);
  });

  test('an asynchronous listener of AfterSend: sent, and the error has the status', () => {
    const stop = AfterSend.subscribe(async (context, next) => next(context));
    const error = failure(() => new DummyBackend().sendMessagesSync([mail('one')]));
    stop();
    expect(error).toMatchObject({ code: 'not-blocking', status: { isSuccess: true } });
  });

  test('sendMailSync sends over the connection it is given, and throws what was refused', () => {
    const connection = new DummyBackend();
    const init = { subject: 's', message: 'm', fromEmail: 'a@x.org', recipientList: ['b@x.org'], connection };
    expect(sendMailSync(init).isSuccess).toBe(true);
    connection.refuse('b@x.org');
    expect(failure(() => sendMailSync(init)).status?.getFailedRecipients()).toEqual(['b@x.org']);
    expect(sendMailSync({ ...init, failSilently: true }).hasFailures).toBe(true);
  });
});
