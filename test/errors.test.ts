import { describe, expect, test } from 'vitest';
import { AddressSyntaxError } from '../src/address.ts';
import {
  ConfigurationError,
  EmailConnectionError,
  EmailError,
  MessageError,
  SendError,
  UnsupportedFeatureError,
} from '../src/errors.ts';

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
    expect({ ...error, name: error.name }).toMatchObject({
      name,
      code,
      phase,
      retryable: false,
      outcome: 'not-sent',
      reply: null,
      transcript: null,
      status: null,
    });
    expect(Object.keys(error)).not.toContain('name');
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
