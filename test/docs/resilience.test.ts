import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { ConfigurationError, EmailConnectionError, type EmailError, SendError } from '../../src/model/errors.ts';
import { WRAPPERS } from '../wrappers/matrix/trees.ts';
import { ROOT } from './code-blocks.ts';

const later = { retryable: true };

/** What goes wrong, in the words of the page, as an error or a reply for the recipient; a row's have the same consequences. */
const ROWS: readonly (readonly [string, readonly (EmailError | number)[]])[] = [
  ['the connection was not reached', [new EmailConnectionError('refused', 'nobody listens', later)]],
  [
    'the certificate is not trusted, or the login refused',
    [new EmailConnectionError('tls', 'not trusted'), new EmailConnectionError('auth', 'wrong password')],
  ],
  ['the account is blocked', [new SendError('account', 'blocked')]],
  ['a quota is used up', [new SendError('quota', 'used up', later)]],
  ['too many mails for the moment (429)', [new SendError('throttled', 'too many', { ...later, retryAfterMs: 90_000 })]],
  ['the mail or the recipient is refused for now (4yz)', [450, new SendError('temporary', 'try later', later)]],
  [
    'a mistake in the configuration, such as a package that is missing',
    [new ConfigurationError('missing-dependency', 'install it')],
  ],
  ['a recipient does not exist', [550]],
  ['the mail is refused, such as for what it says', [554]],
  [
    'the mail is too large, or its template is missing',
    [new SendError('too-large', 'large'), new SendError('template', 'no such')],
  ],
  ['no answer after the mail had left', [new SendError('uncertain', 'no answer', { outcome: 'unknown' })]],
];

/** Wrappers that do the same. */
const COLUMNS = [['failover', 'round-robin', 'weighted'], ['retry'], ['route', 'mirror', 'rate-limit']] as const;

const MAIL = { subject: 'Hi', body: 'Text', fromEmail: 'shop@example.com', to: 'ann@example.org' };

/** What a wrapper makes of it when its first connection fails so, once. */
async function consequence(wrapper: string, error: EmailError | number): Promise<string> {
  const failing = new DummyBackend();
  if (typeof error === 'number') failing.refuse(MAIL.to, error);
  else failing.failNext(error);
  const parts = [failing, new DummyBackend()].map((connection, place) => {
    const name = place === 0 ? 'first' : 'next';
    return { text: name, name, connection };
  });
  const backend = WRAPPERS[wrapper]?.(parts);
  for await (const { recipients } of backend?.stream([MAIL]) ?? []) {
    const told = recipients.get(MAIL.to);
    if (told?.via === 'next') return 'the next connection';
    return told?.tries?.length === 1 ? `stays \`${told.status}\`` : 'tries again';
  }
  return 'nothing';
}

async function table(): Promise<string> {
  const rows = [['After', ...COLUMNS.map((names) => names.map((name) => `\`${name}\``).join(', '))]];
  rows.push(rows[0]?.map(() => '---') ?? []);
  for (const [text, errors] of ROWS) {
    const cells = COLUMNS.map(async (names) => {
      const each = names.flatMap((name) => errors.map((error) => consequence(name, error)));
      const told = new Set(await Promise.all(each));
      expect([...told], `${text}: ${names.join()}`).toHaveLength(1);
      return [...told].join();
    });
    rows.push([text, ...(await Promise.all(cells))]);
  }
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

test('docs/resilience.md says what goes on (npx vitest run test/docs/resilience.test.ts -u writes it)', async () => {
  const path = join(ROOT, 'docs/resilience.md');
  const made = await table();
  const written = readFileSync(path, 'utf8').replace(
    /<!-- goes on -->[\s\S]*?<!-- \/goes on -->/,
    () => `<!-- goes on -->\n${made}\n<!-- /goes on -->`,
  );
  expect(written).toContain(made);
  await expect(written).toMatchFileSnapshot(path);
});
