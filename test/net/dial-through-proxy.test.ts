import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EmailConnectionError } from '../../src/model/errors.ts';
import { dialThroughProxy } from '../../src/net/dial-through-proxy.ts';
import { parseProxy } from '../../src/net/proxy-server.ts';
import { makeCertificates } from '../servers/certificates.ts';

const SECRET = 'S3cr3tWord';
const TARGET = { host: 'mail.example.com', port: 587 };
const NEVER = new AbortController().signal;
const SOCKS_NO_LOGIN = Uint8Array.of(5, 0);
const servers: { readonly server: Server; readonly sockets: Set<Socket> }[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }
});

/** A proxy that says one thing for each thing it is told, and gives its port, what it was told, and its connections. */
async function scripted(
  answers: readonly (Uint8Array | string | ((socket: Socket) => unknown))[],
): Promise<{ readonly port: number; readonly told: string[]; readonly sockets: ReadonlySet<Socket> }> {
  const told: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const left = [...answers];
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      told.push(chunk.toString('latin1'));
      const answer = left.shift();
      if (typeof answer === 'function') answer(socket);
      else if (answer !== undefined) socket.write(answer);
    });
  });
  servers.push({ server, sockets });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, told, sockets }; // it listens on TCP
}

function dial(scheme: string, port: number, signal = NEVER, target = TARGET): Promise<Duplex> {
  const login = scheme.endsWith('@') ? `user:${SECRET}@` : '';
  return dialThroughProxy(parseProxy(`${scheme.replace('@', '')}://${login}127.0.0.1:${port}`), target, signal);
}

async function failure(dialling: Promise<Duplex>): Promise<EmailConnectionError> {
  const error: unknown = await dialling.catch((reason: unknown) => reason);
  if (!(error instanceof EmailConnectionError)) throw new Error(`no EmailConnectionError: ${String(error)}`);
  return error;
}

/** What a stream has to say until it has said so many bytes. */
async function read(stream: Duplex, length: number): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.length >= length) break;
  }
  return text;
}

describe('an HTTP proxy', () => {
  it.each([
    [TARGET, 'mail.example.com:587'],
    [{ host: 'bücher.example', port: 25 }, 'xn--bcher-kva.example:25'],
    [{ host: '::1', port: 465 }, '[::1]:465'],
  ])('is asked for %j', async (target, authority) => {
    const { port, told } = await scripted(['HTTP/1.1 200 OK\r\n\r\n']);
    (await dial('http', port, NEVER, target)).destroy();
    expect(told).toEqual([`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`]);
  });

  it('is told the login in UTF-8', async () => {
    const { port, told } = await scripted(['HTTP/1.1 200 OK\r\n\r\n']);
    const proxy = parseProxy(`http://j%C3%BCrgen:p%C3%A4%3Ass@127.0.0.1:${port}`);
    (await dialThroughProxy(proxy, TARGET, NEVER)).destroy();
    expect(told[0]).toContain(`\r\nProxy-Authorization: Basic ${Buffer.from('jürgen:pä:ss').toString('base64')}\r\n`);
  });

  it.each([
    ['HTTP/1.1 200 OK\r\n\r\n'],
    ['HTTP/1.0 200 Connection established\r\nProxy-agent: tinyproxy\r\n\r\n'],
    ['HTTP/1.1 200\r\n\r\n'],
    ['HTTP/1.1 204 \r\n\r\n'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nTransfer-Encoding: chunked\r\nX-Latin: \xe9\r\n\r\n'],
    ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'],
    [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(16 * 1024 - 24)}\r\n\r\n`],
  ])('opens the tunnel by %j', async (answer) => {
    const greeting = '220 mail.example.com\r\n';
    const { port } = await scripted([Buffer.from(answer + greeting, 'latin1')]);
    expect(await read(await dial('http', port), greeting.length)).toBe(greeting);
  });

  it.each([
    ['wants a login', 'http', 407, 'auth', false, 'wants a login: give one in proxy'],
    ['refuses the login', 'http@', 407, 'auth', false, 'refuses the login: check its user name and password in proxy'],
    ['refuses it as tinyproxy does', 'http@', 401, 'auth', false, 'refuses the login'],
    ['forbids it', 'http', 403, 'refused', false, 'it must allow CONNECT to this host and port'],
    ['knows no CONNECT', 'http', 405, 'refused', false, 'mail.example.com:587: 405'],
    ['is asked too often', 'http', 429, 'refused', true, '429'],
    ['sends elsewhere', 'http', 302, 'refused', false, '302'],
    ['switches protocols', 'http', 101, 'refused', false, '101'],
    ['fails', 'http', 500, 'unreachable', true, '500'],
    ['has no CONNECT', 'http', 501, 'refused', false, '501'],
    ['does not get there', 'http', 502, 'unreachable', true, 'makes no connection to mail.example.com:587: 502'],
    ['is busy', 'http', 503, 'unreachable', true, '503'],
    ['waits in vain', 'http', 504, 'timeout', true, '504'],
  ])('that %s (%s, %i) is %s', async (_, scheme, status, code, retryable, text) => {
    const { port, sockets } = await scripted([`HTTP/1.1 ${status} Because ${SECRET}\r\n\r\n`]);
    const error = await failure(dial(scheme, port));
    const reason = scheme === 'http' ? SECRET : '***';
    expect(error).toMatchObject({ code, retryable, phase: 'connect', outcome: 'not-sent' });
    expect(error.reply).toEqual({ code: status, enhancedCode: null, text: `Because ${reason}` });
    expect(error.message).toContain(text);
    expect(error.message).toContain(`the proxy http://127.0.0.1:${port} `);
    await expect.poll(() => sockets.size).toBe(0);
  });

  it.each([
    ['220 mail.example.com ESMTP\r\n', 'is no HTTP'],
    ['HTTP/2 200\r\n\r\n', 'is no HTTP'],
    ['\r\nHTTP/1.1 200 OK\r\n\r\n', 'is no HTTP'],
    ['HTTP/1.1 2000 OK\r\n\r\n', 'breaks the rules'],
    ['HTTP/1.1  200 OK\r\n\r\n', 'breaks the rules'],
    ['HTTP/1.1 200 OK\r\nnot a field\r\n\r\n', 'breaks the rules'],
    ['HTTP/1.1 200 OK\r\nX : y\r\n\r\n', 'breaks the rules'],
    ['HTTP/1.1 200 OK\r\nX: y\r\n folded\r\n\r\n', 'breaks the rules'],
    ['HTTP/1.1 200 OK\r\nX: y\0\r\n\r\n', 'breaks the rules'],
    ['HTTP/1.1 200 OK\nX: y\r\n\r\n', 'breaks the rules'],
    [`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(3_000)}`, 'no end within 16384 octets'],
    ['HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000), 'no end within 16384 octets'],
  ])('that answers %j breaks the protocol', async (answer, text) => {
    const { port, sockets } = await scripted([answer]);
    const error = await failure(dial('http', port));
    expect(error).toMatchObject({ code: 'protocol', retryable: false, phase: 'connect' });
    expect(error.message).toContain(text);
    await expect.poll(() => sockets.size).toBe(0);
  });
});

describe('a SOCKS proxy', () => {
  const open = Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0);

  it.each([
    ['a name', TARGET, '\x05\x01\x00\x03\x10mail.example.com\x02\x4b'],
    ['an IPv4 address', { host: '192.0.2.1', port: 25 }, '\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x19'],
    [
      'an IPv6 address',
      { host: '2001:db8::1', port: 25 },
      `\x05\x01\x00\x04\x20\x01\x0d\xb8${'\0'.repeat(11)}\x01\x00\x19`,
    ],
    [
      'an IPv6 address in full',
      { host: '1:2:3:4:5:6:7:8', port: 1 },
      '\x05\x01\x00\x04\0\x01\0\x02\0\x03\0\x04\0\x05\0\x06\0\x07\0\x08\0\x01',
    ],
    ['the loopback', { host: '::1', port: 25 }, `\x05\x01\x00\x04${'\0'.repeat(15)}\x01\x00\x19`],
    ['the start of a net', { host: 'fe80::', port: 25 }, `\x05\x01\x00\x04\xfe\x80${'\0'.repeat(14)}\x00\x19`],
  ])('is told %s', async (_, target, request) => {
    const { port, told } = await scripted([SOCKS_NO_LOGIN, open]);
    (await dial('socks5', port, NEVER, target)).destroy();
    expect(told).toEqual(['\x05\x01\x00', request]);
  });

  it.each([
    ['with an IPv4 address', open],
    ['with an IPv6 address', Uint8Array.of(5, 0, 0, 4, ...Array.from({ length: 18 }, () => 1))],
    ['with a name', Uint8Array.of(5, 0, 0, 3, 2, 104, 104, 0, 25)],
    ['with an empty name', Uint8Array.of(5, 0, 0, 3, 0, 0, 25)],
  ])('opens the tunnel %s, and the greeting comes with it', async (_, answer) => {
    const greeting = '220 mail.example.com\r\n';
    const { port } = await scripted([SOCKS_NO_LOGIN, Buffer.concat([answer, Buffer.from(greeting)])]);
    expect(await read(await dial('socks5', port), greeting.length)).toBe(greeting);
  });

  it('is told the login if it wants one, whatever version its answer gives', async () => {
    const { port, told } = await scripted([Uint8Array.of(5, 2), Uint8Array.of(5, 0), open]);
    (await dial('socks5@', port)).destroy();
    expect(told.slice(0, 2)).toEqual(['\x05\x02\x00\x02', `\x01\x04user\x0a${SECRET}`]);
  });

  it('is not told the login if it wants none', async () => {
    const { port, told } = await scripted([SOCKS_NO_LOGIN, open]);
    (await dial('socks5@', port)).destroy();
    expect(told.join('')).not.toContain(SECRET);
  });

  it.each([
    ['wants a login', 'socks5', [Uint8Array.of(5, 0xff)], 'auth', false, 'wants a login: give one in proxy'],
    [
      'takes no password',
      'socks5@',
      [Uint8Array.of(5, 0xff)],
      'auth',
      false,
      'takes no login by user name and password',
    ],
    ['refuses the login', 'socks5@', [Uint8Array.of(5, 2), Uint8Array.of(1, 1)], 'auth', false, 'refuses the login'],
    ['demands another method', 'socks5@', [Uint8Array.of(5, 1)], 'protocol', false, 'demands the login method 1'],
    ['demands a login that was not offered', 'socks5', [Uint8Array.of(5, 2)], 'protocol', false, 'login method 2'],
    ['speaks SOCKS 4', 'socks5', [Uint8Array.of(0, 90)], 'protocol', false, 'is no SOCKS 5'],
    ['speaks HTTP', 'socks5', ['HTTP/1.1 400 Bad Request\r\n\r\n'], 'protocol', false, 'is no SOCKS 5: check proxy'],
    ['answers as another', 'socks5', [SOCKS_NO_LOGIN, Uint8Array.of(4, 0)], 'protocol', false, 'is no SOCKS 5'],
    [
      'has another kind of address',
      'socks5',
      [SOCKS_NO_LOGIN, Uint8Array.of(5, 0, 0, 2, 0)],
      'protocol',
      false,
      'no kind',
    ],
    ...(
      [
        [1, 'connection', true],
        [2, 'refused', false],
        [3, 'unreachable', true],
        [4, 'unreachable', true],
        [5, 'refused', true],
        [6, 'timeout', true],
        [7, 'protocol', false],
        [8, 'protocol', false],
        [9, 'protocol', false],
      ] as const
    ).map(
      ([reply, code, retryable]) =>
        [
          `replies ${reply}`,
          'socks5',
          [SOCKS_NO_LOGIN, Uint8Array.of(5, reply)],
          code,
          retryable,
          `(SOCKS reply ${reply})`,
        ] as const,
    ),
  ] as const)('that %s', async (_, scheme, answers, code, retryable, text) => {
    const { port, sockets } = await scripted(answers);
    const error = await failure(dial(scheme, port));
    expect(error).toMatchObject({ code, retryable, phase: 'connect', outcome: 'not-sent' });
    expect(error.message).toContain(text);
    expect(error.message).not.toContain(SECRET);
    await expect.poll(() => sockets.size).toBe(0);
  });
});

describe('a proxy over TLS', () => {
  const { ca, good, selfSigned, wrongHost } = makeCertificates();

  async function secured(certificate: tls.TlsOptions): Promise<number> {
    const sockets = new Set<Socket>();
    const server = tls.createServer(certificate, (socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n220 hello\r\n'));
    });
    server.on('tlsClientError', () => {});
    servers.push({ server, sockets });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port; // it listens on TCP
  }

  /** As Node does when NODE_EXTRA_CA_CERTS names the file. */
  function trust(authority: string): void {
    const { connect } = tls;
    // The one of many signatures that is called.
    vi.spyOn(tls, 'connect').mockImplementation(((options: tls.ConnectionOptions) =>
      connect({ ...options, ca: authority })) as unknown as typeof tls.connect);
  }

  it('is trusted as Node trusts, and the tunnel begins behind its answer', async () => {
    trust(ca);
    const port = await secured(good);
    const proxy = parseProxy(`https://localhost:${port}`);
    expect(await read(await dialThroughProxy(proxy, TARGET, NEVER), 11)).toBe('220 hello\r\n');
  });

  it.each([
    ['an unknown authority', good, false],
    ['itself', selfSigned, false],
    ['another host', wrongHost, true],
  ])('is not with a certificate of %s', async (_, certificate, isTrusted) => {
    if (isTrusted) trust(ca);
    const error = await failure(dial('https@', await secured(certificate)));
    expect(error).toMatchObject({ code: 'certificate', phase: 'connect', retryable: false });
    expect(error.message).toMatch(
      /the certificate of the proxy https:\/\/127\.0\.0\.1:\d+ was not accepted: .*EXTRA_CA/,
    );
  });

  it('that speaks none is told so', async () => {
    const { port } = await scripted(['HTTP/1.1 400 Bad Request\r\n\r\n']);
    const error = await failure(dial('https', port));
    expect(error).toMatchObject({ code: 'tls', phase: 'connect' });
    expect(error.message).toContain('check the scheme and port of proxy');
  });
});

const SCHEMES = ['http', 'socks5'] as const;

describe.each(SCHEMES)('a proxy of %s', (scheme) => {
  it.each([
    ['at once', []],
    ['in the midst of its answer', [scheme === 'http' ? 'HTTP/1.1 20' : Uint8Array.of(5)]],
  ])('that hangs up %s', async (_, [start]) => {
    const { port } = await scripted([(socket) => socket.end(start ?? '')]);
    const error = await failure(dial(scheme, port));
    expect(error).toMatchObject({ code: 'closed', retryable: true, phase: 'connect' });
    expect(error.message).toContain('hung up instead of an answer');
  });

  it('that resets the connection', async () => {
    const { port } = await scripted([(socket) => socket.resetAndDestroy()]);
    expect(await failure(dial(scheme, port))).toMatchObject({ code: 'closed', retryable: true, phase: 'connect' });
  });

  it('whose answer comes byte by byte', async () => {
    const answers =
      scheme === 'http'
        ? ['HTTP/1.1 200 OK\r\n\r\n220 hi\r\n']
        : [
            [5, 0],
            [5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 50],
          ];
    const { port } = await scripted(
      answers.map((answer) => async (socket: Socket) => {
        for (const byte of Buffer.from(answer as string)) {
          socket.write(Uint8Array.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
      }),
    );
    expect(await read(await dial(scheme, port), 1)).toMatch(/^2/);
  });

  it('that nobody has at its port, or by its name', async () => {
    const { port } = await scripted([]);
    servers.at(-1)?.server.close();
    const error = await failure(dial(scheme, port));
    expect(error).toMatchObject({ code: 'refused', retryable: true });
    expect(error.message).toBe(
      `no connection to the proxy ${scheme}://127.0.0.1:${port}: nothing listens there: check proxy`,
    );
    const proxy = parseProxy(`${scheme}://user:${SECRET}@nowhere.invalid:1`);
    expect(await failure(dialThroughProxy(proxy, TARGET, NEVER))).toMatchObject({ code: 'dns', retryable: false });
  });

  const steps = scheme === 'http' ? [[]] : [[], [Uint8Array.of(5, 2)], [Uint8Array.of(5, 2), Uint8Array.of(1, 0)]];
  it.each(steps.map((answers, step) => [step + 1, answers] as const))(
    'is left when the signal aborts at step %i',
    async (_, answers) => {
      const abort = new AbortController();
      const reason = new Error('enough');
      const { port, sockets } = await scripted([...answers, () => abort.abort(reason)]);
      await expect(dial(`${scheme}@`, port, abort.signal)).rejects.toBe(reason);
      await expect.poll(() => sockets.size).toBe(0);
    },
  );

  it('is not dialled when the signal has aborted', async () => {
    const { port, told } = await scripted([]);
    await expect(dial(scheme, port, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    expect(told).toEqual([]);
  });

  it('is not asked for a host that no proxy can be told', async () => {
    const { port, told } = await scripted([]);
    const target = { host: 'a\r\nX: y', port: 25 };
    await expect(dial(scheme, port, NEVER, target)).rejects.toMatchObject({ code: 'invalid-option', option: 'host' });
    expect(told).toEqual([]);
  });
});
