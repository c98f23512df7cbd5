import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A mail as aws-ses-v2-local keeps it. */
interface LocalMail {
  readonly messageId: string;
  readonly from: string;
  readonly replyTo: readonly string[];
  readonly destination: {
    readonly to: readonly string[];
    readonly cc: readonly string[];
    readonly bcc: readonly string[];
  };
  readonly subject: string;
  readonly body: { readonly text?: string; readonly html?: string };
  readonly attachments: readonly {
    readonly filename?: string;
    readonly content: string;
    readonly contentId?: string;
  }[];
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
}

/** aws-ses-v2-local, the emulator of SES from npm, in a process of its own. */
export interface SesLocal {
  readonly endpoint: string;
  mails(): Promise<readonly LocalMail[]>;
  clear(): Promise<void>;
  close(): Promise<void>;
}

const PROGRAM = fileURLToPath(import.meta.resolve('aws-ses-v2-local')).replace(/index\.js$/, 'cli.js');

/** What GetAccount answers. */
export const ACCOUNT = {
  DedicatedIpAutoWarmupEnabled: false,
  Details: {
    AdditionalContactEmailAddresses: [],
    ContactLanguage: 'EN',
    MailType: 'TRANSACTIONAL',
    ReviewDetails: { CaseId: '1', Status: 'GRANTED' },
    UseCaseDescription: 'tests',
    WebsiteURL: 'https://example.com',
  },
  EnforcementStatus: 'HEALTHY',
  ProductionAccessEnabled: false,
  SendingEnabled: true,
  SendQuota: { Max24HourSend: 50_000, MaxSendRate: 500, SentLast24Hours: 12 },
  SuppressionAttributes: { SuppressedReasons: [] },
};

export async function startSesLocal(): Promise<SesLocal> {
  const child = spawn(process.execPath, [PROGRAM, '--host', '127.0.0.1', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, AWS_SES_ACCOUNT: JSON.stringify(ACCOUNT) },
  });
  const port = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const found = /running at http:\/\/[^:]+:(\d+)/.exec(output)?.[1];
      if (found) resolve(found);
    });
    child.once('exit', () => reject(new Error(`aws-ses-v2-local ended: ${output}`)));
  });
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    mails: async () => {
      const response = await fetch(`${endpoint}/store`);
      const store = (await response.json()) as { readonly emails: readonly LocalMail[] }; // the emulator's own shape
      return store.emails;
    },
    clear: async () => {
      await fetch(`${endpoint}/clear-store`, { method: 'POST' });
    },
    close: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill();
      }),
  };
}
