import { describe, expect, test } from 'vitest';
import { ALL_FEATURES, type Feature, findMissingFeatures } from '../../src/model/features.ts';
import { EmailMessage } from '../../src/model/message.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';

const PLAIN: EmailMessageInit = { subject: 's', body: 'b', fromEmail: 'a@x.org', to: 'b@x.org' };
const NONE: ReadonlySet<Feature> = new Set();

describe('what a message uses and the backend lacks', () => {
  const cases: [Feature, 'advisory' | 'essential', Partial<EmailMessageInit>][] = [
    ['tags', 'advisory', { tags: ['welcome'] }],
    ['metadata', 'advisory', { metadata: { order: '7' } }],
    ['trackOpens', 'advisory', { trackOpens: true }],
    ['trackClicks', 'advisory', { trackClicks: true }],
    ['priority', 'advisory', { priority: 'high' }],
    ['idempotencyKey', 'advisory', { idempotencyKey: 'k' }],
    ['templateId', 'essential', { templateId: 't' }],
    ['mergeData', 'essential', { mergeData: { 'b@x.org': { name: 'Bob' } } }],
    ['mergeGlobalData', 'essential', { mergeGlobalData: { year: 2026 } }],
    ['dsn', 'essential', { dsn: { notify: 'never' } }],
    ['requireTls', 'essential', { requireTls: true }],
    ['envelopeSender', 'essential', { envelopeSender: 'bounce@x.org' }],
    ['envelopeSender', 'essential', { envelopeSender: '' }],
    ['sendAt', 'essential', { sendAt: new Date('9999-01-01') }],
    ['nonAsciiLocalPart', 'essential', { to: 'jörg@x.org' }],
    ['nonAsciiLocalPart', 'essential', { bcc: ['c@x.org', 'jörg@x.org'] }],
    ['nonAsciiLocalPart', 'essential', { fromEmail: 'jörg@x.org' }],
    ['nonAsciiLocalPart', 'essential', { cc: 'Team: jörg@x.org;' }],
    ['nonAsciiLocalPart', 'essential', { replyTo: 'jörg@x.org' }],
  ];
  test.each(cases)('%s is %s: %j', (feature, kind, fields) => {
    const missing = findMissingFeatures(new EmailMessage({ ...PLAIN, ...fields }), NONE);
    expect(missing).toEqual({ advisory: [], essential: [], [kind]: [feature] });
    const others = new Set([...ALL_FEATURES].filter((other) => other !== feature));
    expect(findMissingFeatures(new EmailMessage({ ...PLAIN, ...fields }), others)).toEqual(missing);
    expect(findMissingFeatures(new EmailMessage({ ...PLAIN, ...fields }), new Set([feature]))).toEqual({
      advisory: [],
      essential: [],
    });
  });

  test('a time that has passed means now, which every backend can', () => {
    const late = new EmailMessage({ ...PLAIN, sendAt: new Date(0) });
    expect(findMissingFeatures(late, NONE)).toEqual({ advisory: [], essential: [] });
  });

  test('what is said to a provider in its own words is for nobody else', () => {
    const message = new EmailMessage({ ...PLAIN, espExtra: { resend: { a: 1 } } });
    expect(findMissingFeatures(message, NONE)).toEqual({ advisory: [], essential: [] });
  });

  test('a plain message needs nothing; an international domain needs nothing either', () => {
    expect(findMissingFeatures(new EmailMessage(PLAIN), NONE)).toEqual({ advisory: [], essential: [] });
    const idn = new EmailMessage({ ...PLAIN, to: 'jane@bücher.example' });
    expect(findMissingFeatures(idn, NONE)).toEqual({ advisory: [], essential: [] });
  });
});
