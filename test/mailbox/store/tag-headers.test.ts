import { expect, test } from 'vitest';
import { summarize } from '../../../src/mailbox/store/caught-mail.ts';
import { composeMessage } from '../../../src/mime/compose/compose.ts';
import { EmailMessage } from '../../../src/model/message.ts';

const summaryOf = (bytes: Uint8Array) =>
  summarize('id', new Date(0), { bytes, envelope: { from: '', to: [] }, via: 'smtp' }).summary;

test('what tagHeaders writes is shown: every tag, and the metadata', () => {
  const tags = ['welcome', 'März', 'a, b', `${'long '.repeat(40)}tag`];
  const metadata = { order: '17', ключ: 'значение', text: `two  spaces =?x?= "quoted" ${'x'.repeat(200)}` };
  const message = new EmailMessage({ subject: 's', body: 'b', fromEmail: 'a@x.org', to: ['b@x.org'], tags, metadata });
  const summary = summaryOf(composeMessage(message, { tagHeaders: true }));
  expect(summary.tags).toEqual(tags);
  expect(summary.metadata).toEqual(metadata);
});

test.each([
  ['no JSON', 'X-Metadata: order=17', {}],
  ['a list', 'X-Metadata: ["17"]', {}],
  ['null', 'X-Metadata: null', {}],
  ['other values than texts', 'X-Metadata: {"order": 17, "shop": "a"}', { shop: 'a' }],
  ['a name that objects have', 'X-Metadata: {"__proto__": "x"}', JSON.parse('{"__proto__": "x"}')],
  ['no header', 'X-Other: x', {}],
])('metadata of others: %s', (_, header, expected) => {
  const { metadata, tags } = summaryOf(Buffer.from(`${header}\r\nX-Tag:  \r\n\r\nx`));
  expect(Object.entries(metadata)).toEqual(Object.entries(expected));
  expect(tags).toEqual([]);
});
