import assert from 'node:assert/strict';
import type { EmailMessageInit } from '../../model/message-init.ts';
import type { ContractBackend } from './subject.ts';
import { type ContractRule, mail, recipientsOf, resultAt, type Trial } from './trial.ts';

const ADVISORY: Readonly<Record<string, Partial<EmailMessageInit>>> = {
  tags: { tags: ['welcome'] },
  metadata: { metadata: { order: '17' } },
  trackOpens: { trackOpens: true, htmlBody: '<p>Hello</p>' },
  trackClicks: { trackClicks: true, htmlBody: '<a href="https://example.com/">Hello</a>' },
  priority: { priority: 'high' },
  idempotencyKey: { idempotencyKey: 'order-17' },
};
const ESSENTIAL: Readonly<Record<string, Partial<EmailMessageInit>>> = {
  templateId: { templateId: 'welcome' },
  mergeData: { mergeData: { 'a@example.org': { name: 'Ann' } } },
  mergeGlobalData: { mergeGlobalData: { shop: 'Acme' } },
  dsn: { dsn: { notify: ['failure'] } },
  requireTls: { requireTls: true },
  envelopeSender: { envelopeSender: 'bounces@example.com' },
  nonAsciiLocalPart: { cc: 'jürgen@example.org' },
  sendAt: { sendAt: new Date('9999-01-01') },
};
/** Features that the provider can always carry. */
const CARRIED = { ...ADVISORY, envelopeSender: ESSENTIAL['envelopeSender'] };

/** Nothing is dropped, and nothing gets in. */
export const SAFETY_RULES: readonly ContractRule[] = [
  {
    name: 'what it cannot carry and must not drop is refused',
    async check(trial) {
      for (const [feature, fields] of Object.entries(ESSENTIAL)) {
        if (featuresOf(trial.subject.backend).has(feature)) continue;
        const { thrown } = await trial.send([mail('a@example.org', fields)]);
        assert(thrown !== null, `${feature} is not declared, and was taken`);
        await trial.nothingArrived();
      }
    },
  },
  {
    name: 'what it cannot carry and may drop is told',
    async check(trial) {
      for (const [feature, fields] of Object.entries(ADVISORY)) {
        if (featuresOf(trial.subject.backend).has(feature)) continue;
        const status = await trial.deliver(mail('a@example.org', fields));
        const ignored: readonly string[] = resultAt(status, 0).ignored;
        assert(ignored.includes(feature), `${feature} is not declared, and not told to be left out`);
      }
    },
  },
  {
    name: 'what it declares it carries',
    async check(trial) {
      for (const [feature, fields] of Object.entries(CARRIED)) {
        if (!featuresOf(trial.subject.backend).has(feature)) continue;
        const status = await trial.deliver(mail('a@example.org', fields));
        const ignored: readonly string[] = resultAt(status, 0).ignored;
        assert(!ignored.includes(feature), `${feature} is declared, and left out`);
      }
    },
  },
  hostile('a line break in an address', [
    { to: 'a@example.org\r\nRCPT TO:<victim@example.org>' },
    { to: 'a@example.org>\r\nDATA\r\n<x@example.org' },
    { cc: 'Name\r\nBcc: victim@example.org <a@example.org>' },
    { fromEmail: 'sender@example.com\nBcc: victim@example.org' },
    { replyTo: 'help@example.com\rBcc: victim@example.org' },
  ]),
  hostile('a line break in a subject or header', [
    { subject: 'Hello\r\nBcc: victim@example.org' },
    { subject: 'Hello\nBcc: victim@example.org' },
    { headers: { 'X-Note': 'Hello\r\nBcc: victim@example.org' } },
    { headers: { 'X-Note\r\nBcc': 'victim@example.org' } },
  ]),
  hostile('a line break in a file name or media type', [
    { attachments: [{ filename: 'a.txt"\r\nBcc: victim@example.org', content: 'a' }] },
    { attachments: [{ filename: 'a.txt', mimetype: 'text/plain\r\nBcc: victim@example.org', content: 'a' }] },
    { attachments: [{ filename: 'a.png', contentId: 'logo>\r\nBcc: victim@example.org', content: 'a' }] },
  ]),
  hostile('a second address behind the first', [
    { to: 'a@example.org, victim@example.org' },
    { to: 'a@example.org victim@example.org' },
    { to: '"a@example.org" <victim@example.org>, <b@example.org>' },
  ]),
  {
    name: 'errors and statuses do not tell what the mail says',
    async check(trial) {
      const { status, thrown } = await trial.send([
        mail(['a@example.org', 'not an address'], { body: 'the secret body', htmlBody: '<p>the secret body</p>' }),
      ]);
      const texts = [
        thrown?.message,
        ...recipientsOf(status).flatMap(({ response, error }) => [response, error?.message]),
      ];
      assert.doesNotMatch(texts.join('\n'), /secret body/);
    },
  },
];

function hostile(what: string, attacks: readonly Partial<EmailMessageInit>[]): ContractRule {
  return {
    name: `${what} is refused`,
    async check(trial) {
      for (const attack of attacks) await isRefused(trial, attack);
    },
  };
}

async function isRefused(trial: Trial, attack: Partial<EmailMessageInit>): Promise<void> {
  const { thrown } = await trial.send([mail('a@example.org', attack)]);
  const counts = await trial.counts();
  assert(
    thrown !== null,
    `${JSON.stringify(attack)} was taken, and sent to ${[...counts.keys()].join(', ') || 'nobody'}`,
  );
  await trial.nothingArrived();
}

/** The features that a backend declares, in a protected member. */
function featuresOf(backend: ContractBackend): ReadonlySet<unknown> {
  const features: unknown = Reflect.get(backend, 'features');
  return features instanceof Set ? features : new Set();
}
