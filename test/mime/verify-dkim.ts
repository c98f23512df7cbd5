import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { authenticate } from 'mailauth';

/** Name of a DNS record to its text. */
export type Records = Readonly<Record<string, string>>;

/** The result of every signature of a mail, by mailauth. */
export async function verifyWithMailauth(records: Records, mail: Uint8Array): Promise<string[]> {
  const { dkim } = await authenticate(Buffer.from(mail), {
    trustReceived: false,
    resolver: async (name: string, type: string) => {
      const record = records[name];
      if (type === 'TXT' && record) return [[record]];
      throw Object.assign(new Error('no such record'), { code: 'ENOTFOUND' });
    },
  });
  return dkim.results.map(({ status: { result } }) => result);
}

/** Whether each signature of each mail holds, by dkimpy: all mails in one process. */
export function verifyWithDkimpy(records: Records, mails: readonly Uint8Array[]): readonly (readonly boolean[])[] {
  const script = fileURLToPath(new URL('verify-dkim.py', import.meta.url));
  const { stdout, stderr, status } = spawnSync('/usr/bin/python3', [script], {
    input: JSON.stringify({ records, mails: mails.map((mail) => Buffer.from(mail).toString('base64')) }),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`dkimpy failed: ${stderr}`);
  return JSON.parse(stdout);
}
