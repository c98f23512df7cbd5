import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { SESv2Client } from '@aws-sdk/client-sesv2';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { EmailError } from '../../../src/model/errors.ts';
import { freePorts } from '../../servers/process.ts';
import { type Fault, StrictSes } from '../../servers/strict-ses.ts';
import { addresses, closeAll, connectTo, errorOf, mail, statuses } from './connect.ts';

let ses: StrictSes;
beforeAll(async () => {
  ses = await StrictSes.start();
});
afterAll(() => ses.close());
afterEach(async () => {
  await closeAll();
  ses.reset();
});

/** Fails every request that sends. */
function failWith(fault: Fault): void {
  ses.script = ({ operation }) => (operation === 'GetAccount' ? undefined : fault);
}

const sends = () => ses.requests.filter(({ operation }) => operation !== 'GetAccount');

function facts({ name, code, outcome, retryable }: EmailError): readonly unknown[] {
  return [name, code, outcome, retryable];
}

describe('what SES refuses, by the name of its error', () => {
  const auth = [
    ...['UnrecognizedClientException', 'InvalidClientTokenId', 'InvalidSignatureException', 'SignatureDoesNotMatch'],
    ...['IncompleteSignature', 'ExpiredTokenException', 'MissingAuthenticationToken', 'OptInRequired'],
  ];
  const not = 'not-sent';
  const table: readonly (readonly [string, string, readonly unknown[], string])[] = [
    ...auth.map((name) => [name, 'no', ['EmailConnectionError', 'auth', not, false], 'failed'] as const),
    [
      'AccessDeniedException',
      'not authorized to perform `ses:SendEmail`',
      ['EmailConnectionError', 'auth', not, false],
      'failed',
    ],
    ['MailFromDomainNotVerifiedException', 'no', ['SendError', 'account', not, false], 'failed'],
    ['AccountSuspendedException', 'no', ['SendError', 'account', not, false], 'failed'],
    ['SendingPausedException', 'no', ['SendError', 'account', not, false], 'failed'],
    ['NotFoundException', 'Template welcome does not exist', ['SendError', 'template', not, false], 'failed'],
    ['NotFoundException', 'Configuration set <x> does not exist.', ['SendError', 'account', not, false], 'failed'],
    ['MessageRejected', 'Email content refused.', ['SendError', 'rejected', not, false], 'rejected'],
    ['BadRequestException', 'Illegal address', ['SendError', 'invalid-recipient', not, false], 'invalid'],
    ['BadRequestException', "Missing final '@domain'", ['SendError', 'invalid-recipient', not, false], 'invalid'],
    [
      'BadRequestException',
      'Local address contains control or whitespace',
      ['SendError', 'invalid-recipient', not, false],
      'invalid',
    ],
    ['BadRequestException', 'Something else.', ['SendError', 'provider', not, false], 'failed'],
    ['LimitExceededException', 'no', ['SendError', 'quota', not, false], 'failed'],
    ['TooManyRequestsException', 'Daily message quota exceeded', ['SendError', 'quota', not, false], 'failed'],
    ['SomethingNewException', 'no', ['SendError', 'provider', not, false], 'failed'],
  ];

  test.each(table)('%s: %s', async (name, message, expected, status) => {
    failWith({ name, message, status: 403 });
    const error = await errorOf(connectTo(ses).sendMessages([mail()]));
    expect(facts(error)).toEqual(expected);
    expect(error.message).toContain(message);
    expect(error.reply).toMatchObject({ code: 403, text: expect.stringContaining(name) });
    expect(statuses(error.status)).toEqual({ 'jane@example.org': status });
    expect(error.status?.recipients.get('jane@example.org')).toMatchObject({
      code: 403,
      retryable: false,
      error: { code: error.code },
    });
    expect(sends()).toHaveLength(1);
  });

  test.each(['TooManyRequestsException', 'ThrottlingException', 'Throttling', 'Unknown'])(
    '%s is waited out, which is no try',
    async (name) => {
      let throttled = 0;
      ses.script = ({ operation }) =>
        operation !== 'GetAccount' && throttled++ < 2
          ? { name, message: 'Maximum sending rate exceeded.', status: 429 }
          : undefined;
      const status = await connectTo(ses, { retry: { attempts: 1 } }).sendMessages([mail()]);
      expect(status.isSuccess).toBe(true);
      expect(sends()).toHaveLength(3);
    },
  );

  test('identities that are not verified: the recipients named are rejected, the others failed', async () => {
    const text =
      'Email address is not verified. The following identities failed the check in region EU-WEST-1: bob@example.org, Carl@example.org';
    failWith({ name: 'MessageRejected', message: text });
    const to = ['jane@example.org', 'bob@example.org', 'carl@example.org'];
    const error = await errorOf(connectTo(ses).sendMessages([mail({ to })]));
    expect(statuses(error.status)).toEqual({
      'jane@example.org': 'failed',
      'bob@example.org': 'rejected',
      'carl@example.org': 'rejected',
    });
    failWith({ name: 'MessageRejected', message: text.replace(/: bob.*/, ': shop@example.com') });
    expect(statuses((await errorOf(connectTo(ses).sendMessages([mail({ to })]))).status)).toEqual(
      Object.fromEntries(to.map((address) => [address, 'rejected'])),
    );
  });

  test('one bad address among several is invalid, the others failed with it', async () => {
    failWith({ name: 'BadRequestException', message: 'Illegal address: bob@example.org' });
    const error = await errorOf(connectTo(ses).sendMessages([mail({ to: ['jane@example.org', 'bob@example.org'] })]));
    expect(statuses(error.status)).toEqual({ 'jane@example.org': 'failed', 'bob@example.org': 'invalid' });
  });

  test.each([
    ['joann@example.org', ['ann@example.org']],
    ['ann@example.org', ['joann@example.org', "o'ann@example.org", 'ann@example.org.uk', 'ann@example.org-b.com']],
    ["'Ann@example.org'", ['joann@example.org']],
    ['<ann@example.org>.', ['ann@example.or', 'nn@example.org']],
    ['a+b@example.org, c', ['b@example.org', 'c@example.org']],
  ])('the address %s is not a part of it, nor it of one', async (named, others) => {
    failWith({ name: 'BadRequestException', message: `Illegal address: ${named}` });
    const bad = named.toLowerCase().replace(/^['<]|[>.']+$|, c$/g, '');
    const error = await errorOf(connectTo(ses).sendMessages([mail({ to: [bad, ...others] })]));
    const expected = Object.fromEntries(others.map((address) => [address, 'failed']));
    expect(statuses(error.status)).toEqual({ [bad]: 'invalid', ...expected });
  });

  test.each(['its own', "the SDK's"])('neither keys nor what was signed are told, with %s client', async (whose) => {
    failWith({
      name: 'SignatureDoesNotMatch',
      message: 'It does not match.\n\nx-amz-security-token:SECRET',
      status: 403,
    });
    const credentials = { accessKeyId: 'OWN', secretAccessKey: 'TOPSECRET' };
    const client = new SESv2Client({ endpoint: ses.endpoint, region: 'eu-west-1', credentials });
    const options = whose === 'its own' ? { secretAccessKey: 'TOPSECRET' } : { client };
    const error = await errorOf(connectTo(ses, options).sendMessages([mail()]));
    client.destroy();
    expect(JSON.stringify([error.message, error, error.status])).not.toMatch(/SECRET/);
    expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/SECRET/);
  });

  test('failSilently keeps it in the status', async () => {
    failWith({ name: 'MessageRejected', message: 'no' });
    const status = await connectTo(ses).sendMessages([mail()], { failSilently: true });
    expect(statuses(status)).toEqual({ 'jane@example.org': 'rejected' });
    expect(status.error).toMatchObject({ code: 'rejected' });
  });

  test("one mail's fault is not another's", async () => {
    ses.script = ({ mails }) =>
      mails[0]?.[0] === 'bad@example.org' ? { name: 'MessageRejected', message: 'no' } : undefined;
    const status = await connectTo(ses).sendMessages([mail({ to: 'bad@example.org' }), mail()]);
    expect(statuses(status)).toEqual({ 'bad@example.org': 'rejected', 'jane@example.org': 'sent' });
  });
});

describe('what may have been sent is unknown, and is never sent again', () => {
  const doubts: readonly (readonly [string, Fault, string])[] = [
    ['500 after acceptance', { answer: '{"message":"oops"}', status: 500, accepts: true }, 'uncertain'],
    ['503', { name: 'ServiceUnavailable', status: 503 }, 'uncertain'],
    ['408 of a gateway', { answer: '', status: 408 }, 'uncertain'],
    ['504 with a page', { answer: '<html>Gateway Timeout</html>', status: 504, accepts: true }, 'uncertain'],
    ['a page with 502', { answer: '<html>Bad Gateway</html>', status: 502 }, 'uncertain'],
    ['a reset after acceptance', { cut: 'reset', accepts: true }, 'closed'],
    ['silence after acceptance', { cut: 'hang', accepts: true }, 'timeout'],
    ['200 without an id', { answer: '{}', accepts: true }, 'uncertain'],
    ['200 with broken JSON', { answer: '{"MessageId', accepts: true }, 'uncertain'],
  ];

  /** Time to arrive on a busy machine, too. */
  const timeFor = (fault: Fault) => ({ timeoutMs: 'cut' in fault && fault.cut === 'hang' ? 2_000 : 60_000 });

  test.each(doubts)('%s', async (_, fault, code) => {
    failWith(fault);
    const backend = connectTo(ses, timeFor(fault));
    const error = await errorOf(backend.sendMessages([mail()]));
    expect(facts(error)).toEqual(['SendError', code, 'unknown', false]);
    expect(statuses(error.status)).toEqual({ 'jane@example.org': 'unknown' });
    expect(error.status?.isUncertain).toBe(true);
    expect(sends()).toHaveLength(1);
  });

  test.each(doubts)('in bulk: %s', async (_, fault, code) => {
    failWith(fault);
    const backend = connectTo(ses, timeFor(fault));
    const to = addresses(60);
    const error = await errorOf(backend.sendMessages([mail({ to, mergeData: {}, mergeGlobalData: {} })]));
    expect(facts(error)).toEqual(['SendError', code, 'unknown', false]);
    expect(new Set(Object.values(statuses(error.status)))).toEqual(new Set(['unknown']));
    expect(sends()).toHaveLength(2);
  });

  // A router says so of a connection that has been there for long, too.
  test.each(['EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ECONNRESET'])('%s while it is read', async (code) => {
    const client = { send: () => Promise.reject(Object.assign(new Error(`read ${code}`), { code, syscall: 'read' })) };
    const error = await errorOf(connectTo(ses, { client }).sendMessages([mail()]));
    expect(facts(error)).toEqual(['SendError', 'closed', 'unknown', false]);
  });
});

describe('what never arrived is tried again', () => {
  test('nobody listens: refused, failed, retryable', async () => {
    const [port] = await freePorts(1);
    const error = await errorOf(
      connectTo(ses, { endpoint: `http://127.0.0.1:${port}`, retry: { attempts: 3, baseMs: 1 } }).sendMessages([
        mail(),
      ]),
    );
    expect(facts(error)).toEqual(['EmailConnectionError', 'refused', 'not-sent', true]);
    expect(statuses(error.status)).toEqual({ 'jane@example.org': 'failed' });
  });

  test('on every address of the name, too', async () => {
    const [port] = await freePorts(1);
    const error = await errorOf(
      connectTo(ses, { endpoint: `http://localhost:${port}`, retry: { attempts: 1 } }).sendMessages([mail()]),
    );
    expect(facts(error)).toEqual(['EmailConnectionError', 'refused', 'not-sent', true]);
  });

  test('a name that is not there', async () => {
    const error = await errorOf(
      connectTo(ses, { endpoint: 'http://ses.invalid', retry: { attempts: 1 } }).sendMessages([mail()]),
    );
    expect(facts(error)).toEqual(['EmailConnectionError', 'dns', 'not-sent', false]);
  });

  test('a service that comes up meanwhile gets the mail, once', async () => {
    const [port = 0] = await freePorts(1);
    const backend = connectTo(ses, {
      endpoint: `http://127.0.0.1:${port}`,
      retry: { attempts: 20, baseMs: 20, maxMs: 50 },
    });
    const sending = backend.sendMessages([mail()]);
    const late = await StrictSes.start(port);
    expect((await sending).isSuccess).toBe(true);
    expect(late.accepted).toHaveLength(1);
    await closeAll();
    await late.close();
  });

  test('TLS that cannot be: no retry', async () => {
    const plain = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end('no TLS here')));
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const address = plain.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const error = await errorOf(connectTo(ses, { endpoint: `https://127.0.0.1:${port}` }).sendMessages([mail()]));
    expect(facts(error)).toEqual(['EmailConnectionError', 'tls', 'not-sent', false]);
    await closeAll();
    await new Promise((resolve) => plain.close(resolve));
  });
});
