import { describe, expect, test } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { createInbox } from '../../src/testing/inbox/inbox.ts';

describe.each([
  ['DummyBackend', () => new DummyBackend()],
  ['Inbox', () => createInbox()],
])('%s refuses', (_, make) => {
  test.each([
    ['any case', 'No@X.org', 'nO@x.ORG', true],
    ['a domain in Unicode and in A-labels', 'Jürgen@MÜNCHEN.example', 'Jürgen@xn--mnchen-3ya.example', true],
    ['a domain in A-labels and in Unicode', 'a@xn--mnchen-3ya.example', 'a@münchen.example', true],
    ['quotes that are not needed', '"ann"@x.org', 'ann@x.org', true],
    ['a name', 'Ann <ann@x.org>', 'ann@x.org', true],
    ['another letter that looks like k', '\u212Aim@x.org', 'kim@x.org', false],
    ['another case beyond ASCII', 'JÜRGEN@x.org', 'jürgen@x.org', false],
  ])('%s: %s, sent to %s', async (_case, refused, to, isRefused) => {
    const backend = make();
    backend.refuse(refused);
    const mail = { subject: 's', body: 'b', fromEmail: 'a@x.org', to };
    const status = await backend.sendMessages([mail], { failSilently: true });
    expect([...status.recipients.values()].map(({ status: outcome }) => outcome === 'sent')).toEqual([!isRefused]);
  });
});
