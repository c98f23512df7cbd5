import { describe, expect, it } from 'vitest';
import { scram } from '../../../src/smtp/protocol/scram.ts';
import { saslPrep } from '../../../src/util/sasl-prep.ts';

/** The dialogues of RFC 5802, section 5, and RFC 7677, section 3. */
const DIALOGUES = [
  {
    hash: 'sha1',
    nonce: 'fyko+d2lbbFgONRv9qkxdawL',
    serverFirst: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
    proof: 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    serverFinal: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
  },
  {
    hash: 'sha256',
    nonce: 'rOprNGfwEbeRWgbNEkqO',
    serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    proof: 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  },
] as const;

describe.each(DIALOGUES)('SCRAM with $hash', ({ hash, nonce, serverFirst, proof, serverFinal }) => {
  const start = () => scram(hash, 'user', 'pencil', nonce);

  it('says what the RFC says', async () => {
    const client = start();
    expect(client.first).toBe(`n,,n=user,r=${nonce}`);
    expect(await client.proof(serverFirst)).toBe(proof);
    expect(() => client.verify(serverFinal)).not.toThrow();
  });

  it.each([
    ['another nonce', serverFirst.replace('r=', 'r=x')],
    ['our nonce and nothing of its own', serverFirst.replace(/r=[^,]*/, `r=${nonce}`)],
    ['no rounds', serverFirst.replace('i=4096', 'i=0')],
    ['rounds for hours', serverFirst.replace('i=4096', 'i=999999999')],
    ['nothing', ''],
  ])('leaves a server that answers with %s', async (_, challenge) => {
    await expect(start().proof(challenge)).rejects.toThrow();
  });

  it.each([['v=AAAA'], ['e=invalid-proof'], [''], [serverFinal.replace(/.{8}$/, 'AAAAAAA=')]])(
    'does not take %j for a proof of the password',
    async (final) => {
      const client = start();
      await client.proof(serverFirst);
      expect(() => client.verify(final)).toThrow('could not prove');
    },
  );

  it('takes no proof before the server has one to give', () => {
    expect(() => start().verify(serverFinal)).toThrow();
  });
});

it('escapes what separates fields in a user name', () => {
  expect(scram('sha256', 'a=b,c', 'x', 'n').first).toBe('n,,n=a=3Db=2Cc,r=n');
});

it.each([
  ['I\u00adX', 'IX'],
  ['user', 'user'],
  ['\u00aa', 'a'],
  ['\u2168', 'IX'],
  ['a\u00a0b', 'a b'],
])('prepares %j as RFC 4013 says', (given, expected) => {
  expect(saslPrep(given)).toBe(expected);
});
