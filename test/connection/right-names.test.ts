import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { getConnection } from '../../src/connection/connection.ts';
import { defineConnections } from '../../src/connection/named.ts';
import { sendMail } from '../../src/connection/send.ts';
import { MessageError } from '../../src/model/errors.ts';
import { EmailMessage } from '../../src/model/message.ts';
import { setEnvironment } from '../../src/options/environment.ts';
import { loadEnv } from '../../src/options/load-env.ts';
import { ATTACHMENT_NAMES, type ForeignNames, MESSAGE_NAMES, OPTION_NAMES } from '../../src/util/foreign-names.ts';
import { CLI, runCli } from '../cli/run-cli.ts';

const MAIL = { subject: 's', body: 'b', fromEmail: 'a@x.org', to: 'b@x.org' };

function issue(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof MessageError) return error.issues.map(({ path, message }) => `${path}: ${message}`).join('\n');
    throw error;
  }
  throw new Error('it passed');
}

describe('a field of a message that is called otherwise elsewhere', () => {
  test.each([
    ['html', "it is called 'htmlBody' here"],
    ['text', "it is called 'body' here"],
    ['from', "it is called 'fromEmail' here"],
    ['reply_to', "did you mean 'replyTo'?"],
    ['subjct', "did you mean 'subject'?"],
    ['template_data', "it is called 'mergeGlobalData' here"],
    ['icalEvent', "give it in 'alternatives', as { content, mimetype: 'text/calendar; method=REQUEST' }"],
    ['colour', 'the fields are subject, body, fromEmail, to,'],
    ['__proto__x', 'the fields are subject,'],
  ])('%s', (field, advice) => {
    const text = issue(() => new EmailMessage({ ...MAIL, [field]: 'x' }));
    expect(text).toContain(`${field}: there is no such field; ${advice}`);
  });

  test.each([
    ['html', "it is called 'htmlMessage' here"],
    ['text', "it is called 'message' here"],
    ['recipients', "it is called 'recipientList' here"],
    ['recipient_list', "it is called 'recipientList' here"],
    ['colour', 'the fields are subject, message, fromEmail, recipientList,'],
  ])('in sendMail: %s', async (field, advice) => {
    const sent = sendMail({
      ...({ [field]: 'x' } as object),
      subject: 's',
      message: 'm',
      fromEmail: 'a@x.org',
      recipientList: 'b@x.org',
    });
    await expect(sent).rejects.toThrow(`${field}: there is no such field; ${advice}`);
  });

  test.each([
    ['path', 'write Attachment.fromFile(path)'],
    ['cid', "it is called 'contentId' here"],
    ['contentType', "it is called 'mimetype' here"],
    ['fileName', "did you mean 'filename'?"],
    ['encoding', 'leave it out, and give bytes'],
    ['size', 'the fields are'],
  ])('of an attachment: %s', (field, advice) => {
    const text = issue(() => new EmailMessage({ ...MAIL, attachments: [{ content: 'c', [field]: 'x' }] }));
    expect(text).toContain(`attachments[0].${field}: there is no such field; ${advice}`);
  });
});

describe('an option that is called otherwise elsewhere', () => {
  test.each([
    ['smtp', 'secure', "it is called 'useSsl' here"],
    ['smtp', 'auth', "give 'username' and 'password' themselves"],
    ['smtp', 'pool', 'leave it out: connections are always kept and shared'],
    ['smtp', 'requireTLS', "it is called 'useTls' here"],
    ['smtp', 'use_tls', "did you mean 'useTls'?"],
    ['smtp', 'connectionTimeout', 'write timeouts: { connect: ... }'],
    ['ses', 'region_name', "it is called 'region' here"],
    ['ses', 'aws_access_key_id', "it is called 'accessKeyId' here"],
    ['ses', 'aws_secret_access_key', "it is called 'secretAccessKey' here"],
    ['ses', 'pool', 'leave it out'],
    ['file', 'file_path', "it is called 'path' here"],
    ['console', 'secure', 'known options: '],
  ])('%s: %s', (backend, option, advice) => {
    expect(() => getConnection(backend, { [option]: 1 })).toThrow(`unknown option '${option}'; ${advice}`);
  });

  test('has a counterpart that exists', () => {
    const fields = [...Object.keys(new EmailMessage(MAIL))];
    const keys = (names: ForeignNames) => Object.values(names).map((own) => (typeof own === 'string' ? own : own[0]));
    expect(fields).toEqual(expect.arrayContaining(keys(MESSAGE_NAMES)));
    expect(['content', 'filename', 'mimetype', 'contentId']).toEqual(expect.arrayContaining(keys(ATTACHMENT_NAMES)));
    const classes = ['smtp', 'ses', 'file', 'console'].map((name) =>
      getConnection(name, name === 'file' ? { path: 'x' } : {}),
    );
    const options = classes.flatMap((backend) =>
      Object.keys(Reflect.get(backend.constructor, 'optionTable') as object),
    );
    expect(options).toEqual(expect.arrayContaining(keys(OPTION_NAMES)));
    for (const names of [MESSAGE_NAMES, ATTACHMENT_NAMES, OPTION_NAMES])
      for (const key of Object.keys(names)) expect(key).toMatch(/^[a-z0-9]+$/);
  });
});

describe('a misspelt name', () => {
  const undos: (() => void)[] = [];
  afterEach(() => {
    for (const undo of undos.splice(0)) undo();
    vi.restoreAllMocks();
  });

  test.each([
    ['stmp', "did you mean 'smtp'?"],
    ['gmial', "did you mean 'gmail'?"],
    ['nothing-like-it', "there is no backend 'nothing-like-it'; known: "],
  ])('of a backend: %s', (name, advice) => {
    expect(() => getConnection(name)).toThrow(advice);
  });

  test('of a connection', () => {
    undos.push(defineConnections({ marketing: 'dummy' }));
    expect(() => getConnection('@marketng')).toThrow("there is no connection '@marketng'; did you mean '@marketing'?");
  });

  test("of a variable is warned of, once; other variables are the application's own", () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const env = {
      AMSDAL_EMAIL_BAKCEND: 'smtp',
      AMSDAL_MAIL_HOST: 'h',
      AMSDAL_EMAIL_USERNAME: 'u',
      AMSDAL_EMAIL_FOO: 'x',
      AMSDAL_EMAIL_SHOP_URL: 'smtp://h',
      AMSDAL_EMAIL_PROT: '',
      AMSDAL_THEME: 'dark',
    };
    undos.push(setEnvironment({ env }));
    getConnection();
    getConnection();
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      'there is no variable AMSDAL_EMAIL_BAKCEND: did you mean AMSDAL_EMAIL_BACKEND?',
      'there is no variable AMSDAL_MAIL_HOST: did you mean AMSDAL_EMAIL_HOST?',
      'there is no variable AMSDAL_EMAIL_USERNAME: did you mean AMSDAL_EMAIL_USER?',
    ]);
  });

  test.each([
    [['sned'], "there is no command 'sned'; did you mean send?"],
    [['send', '--form', 'a@x.org'], "Unknown option '--form'; did you mean --from?"],
    [['check', '--dkim-selectr', 'x'], "Unknown option '--dkim-selectr'; did you mean --dkim-selector?"],
    [['check', '--nothing-like-it'], "Unknown option '--nothing-like-it'; amsdal-mail check --help"],
  ])('of a command or option: %j', async (args, text) => {
    const { code, stderr } = await runCli(args);
    expect(stderr).toContain(text);
    expect(code).toBe(2);
  });
});

describe('a file of variables', () => {
  const folder = mkdtempSync(join(tmpdir(), 'amsdal-env-'));
  writeFileSync(
    join(folder, '.env'),
    'AMSDAL_EMAIL_BACKEND=dummy\nAMSDAL_EMAIL_FROM=a@x.test\nAMSDAL_EMAIL_BAKCEND=x\n',
  );
  afterEach(() => vi.restoreAllMocks());

  test('is told by check to be seen by no application, and which names in it are wrong', async () => {
    const env = { AMSDAL_EMAIL_FROM: 'shop@x.test' };
    const { stdout, stderr } = await runCli(['check', '--json', '--resolver', '127.0.0.1:9'], { cwd: folder, env });
    const messages = JSON.parse(stdout).checks.map(
      ({ message, fix }: { message: string; fix: string }) => `${message} ${fix}`,
    );
    expect(messages).toContainEqual(
      'only .env has AMSDAL_EMAIL_BACKEND: an application does not read it by itself start it with node --env-file=.env, or call loadEnv() or setupContribs() of amsdal-mail/app',
    );
    expect(messages).toContainEqual('there is no variable AMSDAL_EMAIL_BAKCEND did you mean AMSDAL_EMAIL_BACKEND?');
    expect(stderr).toBe('');
  });

  test('is seen by the library after loadEnv, and no more when that is undone; the process wins', () => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const undo = loadEnv({ env: {}, cwd: folder });
    expect(getConnection().name).toBe('dummy');
    expect(process.env['AMSDAL_EMAIL_BACKEND']).toBeUndefined();
    undo();
    const other = loadEnv({ env: { AMSDAL_EMAIL_BACKEND: 'console' }, cwd: folder });
    expect(getConnection().name).toBe('console');
    other();
    expect(() => loadEnv({ envFile: 'nope', cwd: folder })).toThrow('cannot be read');
    rmSync(folder, { recursive: true });
  });

  test('is no warning twice on the command line', () => {
    const { stderr } = spawnSync(process.execPath, [CLI, 'check'], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], AMSDAL_EMAIL_BAKCEND: 'x' },
    });
    expect(stderr).toBe('');
  });
});
