import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { getConnection } from '../../src/connection/connection.ts';
import { readOutboxText } from '../../src/connection/outbox-text.ts';
import { memoryStore } from '../../src/outbox/memory-store.ts';
import { OUTBOX_OPTIONS } from '../../src/outbox/outbox-options.ts';

const MAIL = { subject: 'Hi', body: 'Hello', fromEmail: 'shop@example.com', to: 'jane@example.org' };

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-outbox-url-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('an outbox as a connection', () => {
  it('tells that a mail is queued once it is written down', async () => {
    const dummy = new DummyBackend({ store: true });
    const connection = getConnection('outbox', { store: memoryStore(), connection: dummy });
    const status = await connection.sendMessages([MAIL]);
    expect([...status.recipients.values()]).toMatchObject([{ address: 'jane@example.org', status: 'queued' }]);
    const outbox = await connection.outbox();
    await outbox.flush();
    expect(dummy.messages.map(({ messageId }) => messageId)).toEqual([status.messageId]);
    await connection.close();
  });

  it('is named by a text, and can be used again after it was closed', async () => {
    const connection = getConnection(
      `outbox:sqlite:${join(folder, 'a.db')}?via=failover(dummy%20console)&leaseMs=5000`,
    );
    await connection.sendMessages([MAIL]);
    await connection.close();
    await connection.sendMessages([MAIL]);
    expect(connection.name).toBe('outbox');
    await connection.close();
  });

  it('parts what belongs to the store from its own options', () => {
    const text =
      'outbox:postgres://user:p%40ss@host/db?sslmode=require&via=smtps://a:b@host&application_name=x&keepSent=true';
    expect(readOutboxText(text, OUTBOX_OPTIONS)).toEqual({
      store: 'postgres://user:p%40ss@host/db?sslmode=require&application_name=x',
      connection: 'smtps://a:b@host',
      keepSent: true,
    });
  });

  it.each([
    ['outbox:', /name the store of the outbox/],
    ['outbox:./mail.db?via=dummy', /name the store of the outbox/],
    ['outbox:sqlite:./mail.db', /needs a connection to send over/],
    ['outbox:sqlite:./mail.db?via=nobody', /connection of outbox: there is no backend 'nobody'/],
    ['outbox:sqlite:./mail.db?via=dummy&leaseMs=1', /leaseMs must be an integer from 1000/],
    ['outbox:sqlite:./mail.db?via=dummy&via=console', /twice/],
  ])('%s says what is wrong', (text, message) => {
    expect(() => getConnection(text)).toThrow(message);
  });

  it('shows no password of a store that cannot be opened', async () => {
    const connection = getConnection('outbox:mysql://user:secret@host/db?via=dummy');
    const refused = connection.sendMessages([MAIL]);
    await expect(refused).rejects.toMatchObject({
      code: 'invalid-option',
      message: expect.not.stringContaining('secret'),
    });
  });

  it.each([
    ['/nowhere/mail.db', /cannot be opened/],
    [import.meta.filename, /cannot be used|file is not a database/],
  ])('says that %s is no place for mails', async (path, message) => {
    const connection = getConnection(`outbox:sqlite:${path}?via=dummy`);
    await expect(connection.sendMessages([MAIL])).rejects.toMatchObject({
      code: 'invalid-option',
      message: expect.stringMatching(message),
    });
  });
});
