import { EmailClient, type EmailMessage } from '@azure/communication-email';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { getConnection } from '../../src/index.ts';
import { base64, DOCUMENT, PICTURE } from './messages.ts';
import { describeSdk } from './oracle.ts';

const RESOURCE =
  'endpoint=https://shop.communication.azure.com/;accesskey=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
const OPERATION = '11111111-2222-3333-4444-555555555555';
const MAIL = {
  senderAddress: 'shop@example.com',
  content: { subject: 'Hello', plainText: 'Hello' },
  recipients: { to: [{ address: 'ann@example.org' }] },
};

// What is signed has the time in it.
beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2030, 0, 1) }));
afterAll(() => void vi.useRealTimers());

function sdk() {
  const client = new EmailClient(RESOURCE);
  return (mail: EmailMessage, operationId?: string) =>
    client.beginSend(mail, operationId === undefined ? {} : { operationId });
}

describeSdk('azure', {
  connect: () => getConnection('azure', { connectionString: RESOURCE, maxConnections: 1 }),
  sdk,
  answer: () => ({
    status: 202,
    headers: { 'operation-location': 'https://shop.communication.azure.com/emails/operations/id-0' },
    body: { id: 'id-0', status: 'Succeeded' },
  }),
  cases: {
    'text and HTML': {
      send: (send) => send({ ...MAIL, content: { ...MAIL.content, html: '<p>Hello</p>' } }),
    },
    'all fields': {
      with: { fromEmail: 'shop@example.com' },
      send: (send) =>
        send({
          senderAddress: 'shop@example.com',
          content: { subject: 'Your order 17', plainText: 'Thank you.', html: '<p>Thank you.</p>' },
          recipients: {
            to: [{ displayName: 'Ann', address: 'ann@example.org' }, { address: 'bob@example.org' }],
            cc: [{ displayName: 'Cid', address: 'cid@example.org' }],
            bcc: [{ address: 'dan@example.org' }],
          },
          replyTo: [{ displayName: 'Help', address: 'help@example.com' }],
          headers: { 'X-Order': '17' },
        }),
      differences: ['x-ms-content-sha256', 'authorization'].map((header) => ({
        at: `0.headers.${header}`,
        sdk: expect.any(String),
        ours: expect.any(String),
        why: 'the headers of a mail come in another place of the JSON, whose bytes are signed; both are right',
      })),
    },
    'names beyond ASCII': {
      with: { fromEmail: 'shop@example.com' },
      send: (send) =>
        send({
          ...MAIL,
          content: { ...MAIL.content, subject: 'Größe 日本' },
          recipients: { to: [{ displayName: '山田 太郎', address: 'yamada@example.org' }] },
        }),
    },
    'picture in the text': {
      send: (send) =>
        send({
          ...MAIL,
          content: { ...MAIL.content, html: '<img src="cid:logo">' },
          attachments: [
            { name: 'logo.png', contentType: 'image/png', contentInBase64: base64(PICTURE), contentId: 'logo' },
          ],
        }),
    },
    files: {
      send: (send) =>
        send({
          ...MAIL,
          attachments: [
            { name: 'notes.txt', contentType: 'text/plain', contentInBase64: base64('Grüße') },
            { name: 'Übersicht.pdf', contentType: 'application/pdf', contentInBase64: base64(DOCUMENT) },
            { name: 'orders.csv', contentType: 'text/csv', contentInBase64: base64('id\n17\n') },
          ],
        }),
    },
    'several to reply to': {
      send: (send) =>
        send({
          ...MAIL,
          replyTo: [{ displayName: 'Help', address: 'help@example.com' }, { address: 'sales@example.com' }],
        }),
    },
    'template for three': 'Azure has no templates',
    'three mails': {
      send: async (send) => {
        await send({ ...MAIL, content: { ...MAIL.content, subject: 'One' } });
        await send({
          senderAddress: 'shop@example.com',
          content: { subject: 'Two', html: '<p>Two</p>' },
          recipients: { to: [{ address: 'bob@example.org' }] },
        });
        await send({
          ...MAIL,
          content: { ...MAIL.content, subject: 'Three', html: '<p>Three</p>' },
          recipients: { to: [{ address: 'cid@example.org' }] },
        });
      },
    },
    'idempotency key': {
      send: (send) => send(MAIL, OPERATION),
      differences: [
        {
          at: '0.headers.operation-id',
          sdk: OPERATION,
          ours: expect.stringMatching(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/),
          why: 'keys are UUIDs: ours is made from the text',
        },
      ],
    },
    schedule: 'Azure sends at once',
  },
});
