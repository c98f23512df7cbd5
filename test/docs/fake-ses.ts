import { createServer } from 'node:https';
import { generateCertificate } from '../../src/smtp-server/certificate.ts';

/** A running stand-in for Amazon SES. */
export interface FakeSes extends AsyncDisposable {
  readonly port: number;
}

/** Answers as SES does when all goes well, so that the examples of docs/ses.md run; what SES means is tested elsewhere. */
export async function startFakeSes(): Promise<FakeSes> {
  const server = createServer(await generateCertificate(), (request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer(request.url ?? '', body)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(path: string, body: string): object {
  if (path.endsWith('/account')) {
    const SendQuota = { Max24HourSend: 50_000, MaxSendRate: 14, SentLast24Hours: 120 };
    return { SendQuota, SendingEnabled: true, ProductionAccessEnabled: true, EnforcementStatus: 'HEALTHY' };
  }
  if (!path.endsWith('/outbound-bulk-emails')) return { MessageId: '0100018c-example' };
  const { BulkEmailEntries }: { readonly BulkEmailEntries: readonly unknown[] } = JSON.parse(body);
  return {
    BulkEmailEntryResults: BulkEmailEntries.map((_, index) => ({
      Status: 'SUCCESS',
      MessageId: `0100018c-${index + 1}`,
    })),
  };
}
