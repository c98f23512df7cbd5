import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import * as ours from 'amsdal-mail';
import { afterAll, describe, expect, test } from 'vitest';

// Two copies of what is built, as `import` and `require`, or two dependencies, may load them.
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-copies-'));
cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
writeFileSync(join(folder, 'terms.txt'), 'Terms');
const theirs: typeof ours = await import(pathToFileURL(join(folder, 'dist/index.js')).href);

afterAll(() => rmSync(folder, { recursive: true }));

const { EmailError, ConfigurationError, MessageError, UnsupportedFeatureError, EmailConnectionError, SendError } = ours;
const INIT = { subject: 'Hello', body: 'Text', fromEmail: 'shop@x.org', to: ['Jane <jane@x.org>'], bcc: ['b@x.org'] };

class OwnError extends SendError {
  readonly tenant = 'acme';
}

describe('an error of another copy', () => {
  const classes = {
    EmailError,
    ConfigurationError,
    MessageError,
    UnsupportedFeatureError,
    EmailConnectionError,
    SendError,
  };
  test.each([
    [() => new theirs.ConfigurationError('invalid-option', 'x'), ['ConfigurationError']],
    [() => new theirs.MessageError([]), ['MessageError']],
    [() => new theirs.UnsupportedFeatureError(['dsn'], 'smtp'), ['MessageError', 'UnsupportedFeatureError']],
    [() => new theirs.EmailConnectionError('dns', 'x'), ['EmailConnectionError']],
    [() => new theirs.SendError('rejected', 'x'), ['SendError']],
    [() => new OwnError('rejected', 'x'), ['SendError']],
  ])('is an instance of the class of the same name, and of no other: %o', (make, names) => {
    const error = make();
    const found = Object.entries(classes).flatMap(([name, type]) => (error instanceof type ? [name] : []));
    expect(found).toEqual(['EmailError', ...names]);
  });

  test('is not an instance of a class of your own that extends the same one', () => {
    expect([
      new OwnError('rejected', 'x') instanceof OwnError,
      new SendError('rejected', 'x') instanceof OwnError,
    ]).toEqual([true, false]);
    expect(new theirs.SendError('rejected', 'x') instanceof OwnError).toBe(false);
  });

  test.each([[null], [undefined], ['text'], [new Error('x')], [{ code: 'rejected' }], [Object.create(null)]])(
    'is nothing else: %o',
    (value) => {
      expect([value instanceof EmailError, value instanceof ours.EmailMessage]).toEqual([false, false]);
    },
  );

  test('thrown by a backend of the other copy, it ends a call of ours with its facts and the status', async () => {
    const connection = new theirs.DummyBackend();
    connection.failNext(
      new theirs.SendError('rejected', 'no', { phase: 'rcpt', reply: { code: 550, enhancedCode: null, text: 'no' } }),
    );
    const error: unknown = await ours.sendMail({ ...mailOf(INIT), connection }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SendError);
    expect(error).toMatchObject({
      code: 'rejected',
      phase: 'rcpt',
      reply: { code: 550 },
      status: { hasFailures: true },
    });
    expect(inspect(error)).toContain("reply: '550 no'");
  });
});

describe('a message of another copy', () => {
  const message = () =>
    new theirs.EmailMessage({
      ...INIT,
      date: new Date(0),
      htmlBody: '<p>Text',
      envelopeSender: '',
      references: ['a@x.org'],
      attachments: [theirs.Attachment.fromFile(join(folder, 'terms.txt')), { filename: 'a.txt', content: 'a' }],
    });

  test('is an EmailMessage, and is sent as if it were ours', async () => {
    expect(message()).toBeInstanceOf(ours.EmailMessage);
    const connection = new ours.DummyBackend({ store: true });
    await connection.sendMessages([message(), message()]);
    const [sent] = connection.messages;
    expect((await sent?.materialize())?.toJSON()).toEqual((await message().materialize()).toJSON());
  });

  test('is sent by a blocking call with the files of its attachments', () => {
    const connection = ours.getConnection('dummy');
    expect(connection.sendMessagesSync([message()]).isSuccess).toBe(true);
  });

  test('may come from a listener', async () => {
    const connection = new ours.DummyBackend({ store: true });
    const remove = ours.BeforeSend.subscribe((context, next) => next({ ...context, message: message() }));
    try {
      await connection.sendMessages([INIT]);
    } finally {
      remove();
    }
    expect(connection.messages[0]?.htmlBody).toBe('<p>Text');
  });

  test.each([
    [{ sendLater: null, later: false, lists: [] }, null],
    [{ sendLater: 'tomorrow' }, /sendLater: there is no such field/],
  ])('of a later version may have further fields with nothing in them: %o', async (fields, refusal) => {
    const later = Object.defineProperties(
      Object.create(theirs.EmailMessage.prototype),
      Object.getOwnPropertyDescriptors({ ...message(), ...fields }),
    );
    const sending = ours.getConnection('dummy').sendMessages([later]);
    if (refusal === null) expect((await sending).isSuccess).toBe(true);
    else await expect(sending).rejects.toThrow(refusal);
  });
});

function mailOf({ body, to, ...rest }: typeof INIT): ours.SendMailInit {
  return { ...rest, message: body, recipientList: to };
}
