import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket, type TlsOptions } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EmailConnectionError } from '../../src/model/errors.ts';
import { brokenConnection, handshakeError } from '../../src/net/tls-failure.ts';
import { resolveSmtpOptions, type SmtpTlsOptions } from '../../src/smtp/options.ts';
import { openSession } from '../../src/smtp/session/session.ts';
import { type Certificate, generateCertificate } from '../../src/smtp-server/certificate.ts';

type Version = 'TLSv1.2' | 'TLSv1.3';
const THREAD_ID = /[0-9A-F]{8,}:|error:|openssl/;
const servers: Server[] = [];
let certificate: Certificate;

beforeAll(async () => {
  certificate = await generateCertificate();
});

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    await once(server, 'close');
  }
});

/** A server that lets nobody in without a certificate that it trusts. */
async function strictServer(how: 'implicit' | 'STARTTLS', version: Version): Promise<number> {
  const strict: TlsOptions = {
    ...certificate,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: version,
    maxVersion: version,
  };
  const greet = (socket: Socket): void => {
    socket.on('error', () => {});
    socket.write('220 localhost\r\n');
    socket.on('data', (line) => {
      if (String(line).startsWith('EHLO')) socket.write('250-localhost\r\n250 STARTTLS\r\n');
      if (!String(line).startsWith('STARTTLS')) return;
      socket.removeAllListeners('data');
      socket.write('220 Go\r\n');
      const secure = new TLSSocket(socket, { ...strict, isServer: true });
      secure.on('error', () => socket.destroy());
    });
  };
  const server = how === 'implicit' ? createTlsServer(strict, greet) : createServer(greet);
  server.on('tlsClientError', () => {});
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port; // it listens on a port
}

async function failure(port: number, how: 'implicit' | 'STARTTLS', tls: SmtpTlsOptions): Promise<EmailConnectionError> {
  const security = how === 'implicit' ? 'implicit' : 'required';
  const options = resolveSmtpOptions({ host: '127.0.0.1', port, security, tls: { ca: certificate.cert, ...tls } });
  const error: unknown = await openSession(options, new AbortController().signal).catch((reason: unknown) => reason);
  if (!(error instanceof EmailConnectionError)) throw new Error(`no EmailConnectionError: ${String(error)}`);
  return error;
}

describe.each(['implicit', 'STARTTLS'] as const)('a server that wants a certificate of the client, %s', (how) => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is told as that under %s', async (version) => {
    const error = await failure(await strictServer(how, version), how, {});
    expect(error).toMatchObject({ code: 'tls', phase: 'tls', retryable: false });
    expect(error.message).toMatch(/certificate of this client.*tls\.cert and tls\.key/);
    expect(error.message).not.toMatch(THREAD_ID);
  });
});

it.each([
  ['that is no PEM', { cert: 'nonsense', key: 'nonsense' }],
  ['without its key', { cert: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' }],
])('a certificate of this client %s is told before the handshake', async (_, tls) => {
  const error = await failure(await strictServer('implicit', 'TLSv1.3'), 'implicit', tls);
  expect(error).toMatchObject({ code: 'tls', phase: 'tls', retryable: false });
  expect(error.message).toContain('check tls.ca, tls.cert, tls.key and tls.passphrase');
  expect(error.message).not.toMatch(THREAD_ID);
});

function opensslError(code: string, reason: string): Error {
  const text = `00A7F4:error:0A00045C:SSL routines:ssl3_read_bytes:${reason}:../deps/openssl/ssl/record.c:1605:SSL alert`;
  return Object.assign(new Error(`write ${code} ${text}`), { code });
}

describe('what OpenSSL says', () => {
  it.each([
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'tlsv1 alert unknown ca', 'does not accept the certificate of this client'],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'bad certificate', 'does not accept the certificate of this client'],
    ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'handshake failure', 'may want a certificate of this client'],
    ['ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', 'bad record mac', 'bad record mac'],
    ['EPROTO', 'wrong version number', 'wrong version number'],
  ])('%s is `tls`, in and after the handshake', (code, reason, text) => {
    const error = opensslError(code, reason);
    for (const told of [handshakeError(error, 'mx.example.com'), brokenConnection(error)]) {
      expect(told.code).toBe('tls');
      expect(told.message).toContain(reason);
      expect(told.message).toContain(text);
      expect(told.message).not.toMatch(THREAD_ID);
    }
  });

  it('of the server is `certificate`', () => {
    const error = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' });
    expect(handshakeError(error, 'mx.example.com').code).toBe('certificate');
  });
});

it('a connection that the system broke is `closed`', () => {
  const error = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  expect(brokenConnection(error)).toMatchObject({ code: 'closed', message: 'the connection broke: read ECONNRESET' });
});
