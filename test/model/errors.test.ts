import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { AddressSyntaxError } from '../../src/model/address.ts';
import {
  ConfigurationError,
  EmailConnectionError,
  EmailError,
  MessageError,
  SendError,
  UnsupportedFeatureError,
} from '../../src/model/errors.ts';
import { draft, ProbeBackend, sent } from '../probe-backend.ts';

const ISSUE = { path: 'to[1]', code: 'address', message: 'it has no "@"' } as const;

describe('every error', () => {
  const cases: [EmailError, string, string, string, (new (...args: never[]) => Error)[]][] = [
    [new ConfigurationError('invalid-option', 'x'), 'ConfigurationError', 'invalid-option', 'configuration', []],
    [new EmailConnectionError('dns', 'x'), 'EmailConnectionError', 'dns', 'connect', []],
    [new SendError('rejected', 'x'), 'SendError', 'rejected', 'final', []],
    [new MessageError([ISSUE]), 'MessageError', 'invalid-message', 'message', []],
    [
      new UnsupportedFeatureError(['dsn'], 'ses'),
      'UnsupportedFeatureError',
      'unsupported-feature',
      'message',
      [MessageError],
    ],
    [new AddressSyntaxError('x'), 'AddressSyntaxError', 'invalid-message', 'message', [MessageError]],
  ];
  test.each(cases)('%o has its class, name, code, phase and careful defaults', (error, name, code, phase, classes) => {
    for (const parent of [Error, EmailError, ...classes]) expect(error).toBeInstanceOf(parent);
    expect(error).toMatchObject({
      name,
      code,
      phase,
      retryable: false,
      outcome: 'not-sent',
      reply: null,
      transcript: null,
      status: null,
    });
    expect(Object.keys(error)).toEqual(['code']);
    expect(String(error).startsWith(`${name}: `)).toBe(true);
  });

  test('carries what it is given', () => {
    const cause = new Error('reset');
    const reply = { code: 451, enhancedCode: '4.3.0', text: 'later' };
    const error = new SendError('temporary', 'try later', {
      phase: 'rcpt',
      retryable: true,
      outcome: 'unknown',
      reply,
      transcript: ['C: RCPT'],
      cause,
    });
    expect(error).toMatchObject({ phase: 'rcpt', retryable: true, outcome: 'unknown', reply, transcript: ['C: RCPT'] });
    expect(error.cause).toBe(cause);
    expect('cause' in new SendError('temporary', 'x')).toBe(false);
  });
});

test('a message error with one fault is one line, with several a list', () => {
  expect(new MessageError([ISSUE]).message).toBe('to[1]: it has no "@"');
  expect(new MessageError([ISSUE, { path: 'subject', code: 'required', message: 'it is missing' }]).message).toBe(
    'the message has 2 faults:\n- to[1]: it has no "@"\n- subject: it is missing',
  );
});

test('an unsupported feature names the feature, the backend and the way out', () => {
  const error = new UnsupportedFeatureError(['templateId', 'dsn'], 'smtp');
  expect(error.features).toEqual(['templateId', 'dsn']);
  expect(error.issues.map(({ path, code }) => [path, code])).toEqual([
    ['templateId', 'unsupported'],
    ['dsn', 'unsupported'],
  ]);
  expect(error.message).toContain('the smtp backend cannot carry it');
});

describe('what console.log shows of an error', () => {
  const bare = (error: EmailError, options: object = {}) =>
    inspect(error, options).replace(/\n {4}at .*?( \{)?$/gm, '$1');

  test('its facts, and of what it was not told nothing', () => {
    const reply = { code: 550, enhancedCode: '5.7.1', text: 'Blocked' };
    const error = new SendError('rejected', 'refused', { phase: 'rcpt', reply, transcript: ['S: 550 secret'] });
    expect(bare(error)).toBe(
      "SendError: refused {\n  code: 'rejected',\n  phase: 'rcpt',\n  outcome: 'not-sent',\n  retryable: false,\n  reply: '550 5.7.1 Blocked'\n}",
    );
    const wrong = new ConfigurationError('invalid-option', 'wrong', { option: 'port', variable: 'AMSDAL_EMAIL_PORT' });
    expect(bare(wrong)).toContain("option: 'port',\n  variable: 'AMSDAL_EMAIL_PORT'\n}");
    const caused = new SendError('listener', 'failed', { cause: new TypeError('no row') });
    expect(bare(caused)).toContain('cause: TypeError: no row');
  });

  test('its stack, once', () => {
    const error = new SendError('rejected', 'refused');
    expect(inspect(error).startsWith(`${error.stack} {`)).toBe(true);
    expect(inspect(error).split('SendError: refused')).toHaveLength(2);
  });

  test('the first recipients of the call, and how many more there are', async () => {
    const backend = new ProbeBackend(async function* (jobs) {
      for await (const job of jobs) {
        const recipients = [...sent(job).recipients].map(([address, status]) => [
          address,
          { ...status, status: 'failed' },
        ]);
        yield { ...sent(job), recipients: new Map(recipients as []), error: new SendError('temporary', 'later') };
      }
    });
    const to = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@x.org`);
    const error = await backend.sendMessages([draft('all', { to })]).catch((thrown: EmailError) => thrown);
    expect(bare(error as EmailError)).toContain(
      "recipients: [\n    'a@x.org: failed',\n    'b@x.org: failed',\n    'c@x.org: failed',\n    'and 2 more'\n  ]",
    );
  });

  test('in an object: indented with it, and deep in one its class and code alone', () => {
    const error = new SendError('rejected', 'refused');
    const lines = inspect({ error }).split('\n');
    expect(lines.slice(1, -2).filter((line) => !line.startsWith('    '))).toEqual(['  error: SendError: refused']);
    expect(lines.slice(-2)).toEqual(['  }', '}']);
    expect(inspect({ a: { b: { c: { error } } } }, { depth: 3 })).toContain('error: [SendError: rejected]');
    expect(inspect({ error }, { depth: null })).toContain("code: 'rejected'");
  });

  test('in colours where they are wanted', () => {
    expect(bare(new SendError('rejected', 'refused'), { colors: true })).toContain(
      "code: \u001b[32m'rejected'\u001b[39m",
    );
  });

  test('of a class of your own, what it adds', () => {
    class TenantError extends SendError {
      readonly tenant = 'acme';
    }
    expect(bare(new TenantError('rejected', 'refused'))).toContain("tenant: 'acme'");
  });
});
