import { describe, expect, test } from 'vitest';
import { type EmailError, MessageError, SendError } from '../../src/model/errors.ts';
import { type DeliveryStatus, type MessageResult, recipientStatus, SendStatus } from '../../src/model/status.ts';

const ALL: readonly DeliveryStatus[] = ['sent', 'queued', 'invalid', 'rejected', 'failed', 'unknown'];

function result(
  index: number,
  recipients: Readonly<Record<string, DeliveryStatus>>,
  more: Partial<MessageResult> = {},
): MessageResult {
  const map = new Map(
    Object.entries(recipients).map(([address, status]) => [address, recipientStatus(address, status)]),
  );
  return { index, messageId: null, recipients: map, error: null, ignored: [], espResponse: null, ...more };
}

describe('one message', () => {
  test.each([
    ['sent', { isSuccess: true, hasFailures: false, isUncertain: false, good: 1, bad: 0 }],
    ['queued', { isSuccess: true, hasFailures: false, isUncertain: false, good: 1, bad: 0 }],
    ['invalid', { isSuccess: false, hasFailures: true, isUncertain: false, good: 0, bad: 1 }],
    ['rejected', { isSuccess: false, hasFailures: true, isUncertain: false, good: 0, bad: 1 }],
    ['failed', { isSuccess: false, hasFailures: true, isUncertain: false, good: 0, bad: 1 }],
    ['unknown', { isSuccess: false, hasFailures: false, isUncertain: true, good: 0, bad: 0 }],
  ] as const)('%s', (status, expected) => {
    const found = new SendStatus([result(0, { 'a@x.org': status })]);
    expect({
      isSuccess: found.isSuccess,
      hasFailures: found.hasFailures,
      isUncertain: found.isUncertain,
      good: found.getSuccessfulRecipients().length,
      bad: found.getFailedRecipients().length,
    }).toEqual(expected);
  });

  test('some refused: neither a success nor without good news', () => {
    const status = new SendStatus([result(0, { 'a@x.org': 'sent', 'b@x.org': 'invalid', 'c@x.org': 'unknown' })]);
    expect(status).toMatchObject({ isSuccess: false, hasFailures: true, isUncertain: true });
    expect(status.getSuccessfulRecipients()).toEqual(['a@x.org']);
    expect(status.getFailedRecipients()).toEqual(['b@x.org']);
  });
});

describe('several messages', () => {
  test.each(ALL.flatMap((first) => ALL.map((second) => [first, second] as const)))(
    'of an address that is %s and %s the worse one shows',
    (first, second) => {
      const worst = ALL[Math.max(ALL.indexOf(first), ALL.indexOf(second))];
      const status = new SendStatus([result(0, { 'a@x.org': first }), result(1, { 'a@x.org': second })]);
      expect(status.recipients.get('a@x.org')?.status).toBe(worst);
      expect(status.results.map(({ recipients }) => recipients.get('a@x.org')?.status)).toEqual([first, second]);
    },
  );

  test('an address written in two ways is one recipient, under its first spelling', () => {
    const status = new SendStatus([
      result(0, { 'Jane@Bücher.example': 'sent', 'bob@x.org': 'sent' }),
      result(1, { 'jane@xn--bcher-kva.example': 'failed', 'BOB@X.ORG': 'sent' }),
    ]);
    expect([...status.recipients.keys()]).toEqual(['Jane@Bücher.example', 'bob@x.org']);
    expect(status.recipients.get('Jane@Bücher.example')).toMatchObject({
      address: 'Jane@Bücher.example',
      status: 'failed',
    });
  });

  test('a message without recipients that failed is a failure all the same', () => {
    const error = new MessageError([{ path: 'to', code: 'required', message: 'give a recipient' }]);
    const status = new SendStatus([result(0, { 'a@x.org': 'sent' }), result(1, {}, { error })]);
    expect(status).toMatchObject({ isSuccess: false, hasFailures: true, isUncertain: false, error });
  });

  test('no message at all is a success of nothing', () => {
    expect(new SendStatus([])).toMatchObject({ isSuccess: true, hasFailures: false, messageId: null, error: null });
  });
});

describe('messageId', () => {
  const cases: [string, MessageResult['messageId'][], MessageResult['messageId']][] = [
    ['none', [null], null],
    ['one', ['a@x'], 'a@x'],
    ['one message in two calls', [new Set(['a', 'b'])], new Set(['a', 'b'])],
    ['two messages', ['a', 'b'], new Set(['a', 'b'])],
    ['one of two has one', [null, 'b'], 'b'],
    ['a set of one', [new Set(['a'])], 'a'],
    ['no message', [], null],
  ];
  test.each(cases)('%s', (_, ids, expected) => {
    const status = new SendStatus(ids.map((messageId, index) => result(index, { 'a@x.org': 'sent' }, { messageId })));
    expect(status.messageId).toEqual(expected);
  });
});

test('error is that of the first message that has one', () => {
  const errors: EmailError[] = [new SendError('rejected', 'first'), new SendError('temporary', 'second')];
  const failed = errors.map((error, index) => result(index + 1, { 'b@x.org': 'failed' }, { error }));
  expect(new SendStatus([result(0, { 'a@x.org': 'sent' }), ...failed]).error).toBe(errors[0]);
});

test('espResponse is the raw answer, an array of them for several messages', () => {
  const one = result(0, { 'a@x.org': 'sent' }, { espResponse: { id: 1 } });
  expect(new SendStatus([one]).espResponse).toEqual({ id: 1 });
  expect(new SendStatus([one, result(1, { 'b@x.org': 'sent' })]).espResponse).toEqual([{ id: 1 }, null]);
});

test('toJSON is plain and tells errors by class, code and message', () => {
  const error = new SendError('invalid-recipient', 'b@x.org: no such user', { cause: new Error('secret') });
  const recipients = new Map([
    ['a@x.org', recipientStatus('a@x.org', 'sent', { messageId: 'm@x.org', response: 'queued as 7' })],
    ['b@x.org', recipientStatus('b@x.org', 'invalid', { code: 550, enhancedCode: '5.1.1', error })],
  ]);
  const status = new SendStatus([{ ...result(0, {}), messageId: new Set(['m', 'n']), recipients }]);
  expect(JSON.parse(JSON.stringify(status))).toEqual({
    isSuccess: false,
    hasFailures: true,
    isUncertain: false,
    messageId: ['m', 'n'],
    recipients: {
      'a@x.org': {
        address: 'a@x.org',
        status: 'sent',
        messageId: 'm@x.org',
        code: null,
        enhancedCode: null,
        response: 'queued as 7',
        retryable: false,
        error: null,
      },
      'b@x.org': {
        address: 'b@x.org',
        status: 'invalid',
        messageId: null,
        code: 550,
        enhancedCode: '5.1.1',
        response: null,
        retryable: false,
        error: { name: 'SendError', code: 'invalid-recipient', message: 'b@x.org: no such user' },
      },
    },
    error: null,
  });
});
