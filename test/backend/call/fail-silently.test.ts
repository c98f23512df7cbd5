import { describe, expect, test } from 'vitest';
import { deliverEach } from '../../../src/backend/deliver-each.ts';
import { failedDelivery } from '../../../src/backend/job.ts';
import { ConfigurationError, EmailConnectionError, MessageError } from '../../../src/model/errors.ts';
import type { EmailMessageDraft } from '../../../src/model/message-init.ts';
import { draft, failure, ProbeBackend, statuses } from '../../probe-backend.ts';

describe('a message whose reading throws', () => {
  const nobody: object = Object.assign(Object.create(null), { email: 'a@x.org' });
  const throwing = Object.defineProperty({ ...draft('bad') }, 'subject', {
    get: () => {
      throw new Error('no subject today');
    },
  });

  test.each([
    ['an address without a prototype', { ...draft('bad'), to: [{ address: nobody }] }],
    ['a getter', throwing],
  ])('by %s is refused, and the others are sent', async (_, input) => {
    const bad = input as EmailMessageDraft; // as JavaScript may give it
    for (const failSilently of [false, true]) {
      const status = await new ProbeBackend().sendMessages([draft('one'), bad, draft('two')], { failSilently });
      expect(status.results.map(({ error }) => error?.name ?? null)).toEqual([null, 'MessageError', null]);
      const alone = await failure(new ProbeBackend().sendMessages([bad], { failSilently }));
      expect(alone).toMatchObject({ name: 'MessageError', code: 'invalid-message' });
    }
  });
});

describe('failSilently', () => {
  const silently = { failSilently: true };

  test('keeps a failure of delivery in the status', async () => {
    const down = new EmailConnectionError('refused', 'nobody answers');
    const backend = new ProbeBackend((jobs) => deliverEach(jobs, (job) => failedDelivery(job, down)));
    const status = await backend.sendMessages([draft('one')], silently);
    expect(status).toMatchObject({ isSuccess: false, hasFailures: true });
    expect(status.error).toBe(down);
    expect(status.recipients.get('one@x.org')).toMatchObject({ status: 'failed', code: 'refused', error: down });
  });

  test('an unreadable recipient becomes invalid and the others are sent', async () => {
    const to = ['nobody', 'b@x.org', 'x@x@x', 'Team: c@x.org;'];
    const status = await new ProbeBackend().sendMessages([draft('one', { to, cc: 'y' })], silently);
    expect(Object.entries(statuses(status))).toEqual([
      ['b@x.org', 'sent'],
      ['c@x.org', 'sent'],
      ['nobody', 'invalid'],
      ['x@x@x', 'invalid'],
      ['y', 'invalid'],
    ]);
    expect(status.recipients.get('nobody')?.error).toMatchObject({ code: 'invalid-recipient', phase: 'message' });
    expect(status.results[0]?.error).toBeNull();
  });

  test('when nobody is left, all are invalid', async () => {
    const status = await new ProbeBackend().sendMessages(
      [draft('one', { to: ['nobody', { address: 'x' }] })],
      silently,
    );
    expect(statuses(status)).toEqual({ nobody: 'invalid', x: 'invalid' });
    expect(status.error).toMatchObject({ code: 'invalid-recipient' });
  });

  test('without it the same message is refused, with its recipients named', async () => {
    const error = await failure(new ProbeBackend().sendMessages([draft('one', { to: ['nobody', 'b@x.org'] })]));
    expect(error).toBeInstanceOf(MessageError);
    expect(statuses(error.status)).toEqual({ nobody: 'invalid', 'b@x.org': 'failed' });
  });

  test.each<[string, Parameters<typeof draft>[1]]>([
    ['another fault of the message', { subject: 'a\nb' }],
    ['that fault beside an unreadable recipient', { subject: 'a\nb', to: ['nobody', 'b@x.org'] }],
    ['no recipient at all', { to: [] }],
    ['a feature that is missing', { templateId: 't' }],
  ])('throws %s', async (_, fields) => {
    expect(await failure(new ProbeBackend().sendMessages([draft('one', fields)], silently))).toBeInstanceOf(
      MessageError,
    );
  });

  test('throws a ConfigurationError', async () => {
    const broken = new ConfigurationError('missing-dependency', 'npm install it');
    const backend = new ProbeBackend((jobs) => deliverEach(jobs, (job) => failedDelivery(job, broken)));
    expect(await failure(backend.sendMessages([draft('one')], silently))).toMatchObject({ code: 'missing-dependency' });
  });

  test('throws no fault of one message when another was sent', async () => {
    const status = await new ProbeBackend().sendMessages([draft('one'), draft('two', { subject: 'a\nb' })], silently);
    expect(status.results[1]?.error).toBeInstanceOf(MessageError);
    expect(status.hasFailures).toBe(true);
  });
});
