import { readFileSync } from 'node:fs';
import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { createMessage, type Transport } from '@upyo/core';
import { type PoolStrategy, PoolTransport } from '@upyo/pool';
import { SmtpTransport } from '@upyo/smtp';
import { createTransport, type Transporter } from 'nodemailer';
import type { EmailBackend } from '../../src/backend/backend.ts';
import { PostmarkBackend } from '../../src/backends/postmark.ts';
import { ResendBackend } from '../../src/backends/resend.ts';
import { SesBackend } from '../../src/backends/ses.ts';
import { SmtpBackend } from '../../src/backends/smtp.ts';
import { failover, roundRobin, weighted } from '../../src/connection/wrappers.ts';
import type { StandIn } from '../wrappers/matrix/providers.ts';

const FROM = 'shop@example.com';
export const TO = ['ann.1@example.org', 'bob.1@example.org', 'cas.1@example.org'] as const;

/** The time that each gives to a try; all other settings are the defaults. */
const TIMEOUT_MS = 1_000;
/** So that the first one is chosen by weights, too, where they are drawn by lot. */
const HEAVY = 1_000_000;

/** A provider as its clients see it. */
interface Place extends Pick<StandIn, 'port' | 'url'> {
  /** Credentials that it asks for, right or not. */
  readonly login: { readonly user: string; readonly pass: string } | null;
}

/** Sends one mail over the first provider, and over the next where that fails; true when it says that the mail was sent. */
export type Peer = (places: readonly Place[]) => Promise<boolean>;

let accounts = 0;

const OURS: Readonly<Record<string, (place: Place) => EmailBackend>> = {
  smtp: ({ port, login }) =>
    new SmtpBackend({
      host: '127.0.0.1',
      port: port ?? 0,
      deadlineMs: TIMEOUT_MS,
      ...(login && { username: login.user, password: login.pass, allowInsecureAuth: true }),
    }),
  ses: ({ url }) =>
    new SesBackend({
      endpoint: url ?? '',
      accessKeyId: `AKIDPEERS${++accounts}`,
      secretAccessKey: 'k',
      deadlineMs: TIMEOUT_MS,
    }),
  resend: ({ url }) => new ResendBackend({ apiKey: 're_123', baseUrl: url ?? '', deadlineMs: TIMEOUT_MS }),
  postmark: ({ url }) =>
    new PostmarkBackend({
      serverToken: '11111111-2222-3333-4444-555555555555',
      baseUrl: url ?? '',
      deadlineMs: TIMEOUT_MS,
    }),
};

type Choose = (connections: readonly EmailBackend[]) => EmailBackend;

function ours(choose: Choose): Readonly<Record<string, Peer>> {
  const peers = Object.entries(OURS).map(([kind, connect]): [string, Peer] => [
    kind,
    async (places) => {
      const connection = choose(places.map(connect));
      const mail = { subject: 'Hi', body: 'Hello.', fromEmail: FROM, to: TO };
      try {
        return (await connection.sendMessages([mail], { failSilently: true })).isSuccess;
      } finally {
        await connection.close();
      }
    },
  ]);
  return Object.fromEntries(peers);
}

function pool(strategy: PoolStrategy): Readonly<Record<string, Peer>> {
  const smtp: Peer = async (places) => {
    const transports = places.map(({ port = 0, login }, place) => {
      const smtpTransport = new SmtpTransport({
        host: '127.0.0.1',
        port,
        secure: false,
        connectionTimeout: TIMEOUT_MS,
        socketTimeout: TIMEOUT_MS,
        ...(login && { auth: login }),
      });
      const transport: Transport = Object.assign(smtpTransport, { id: 'smtp' }); // of an earlier version, which has none
      const isFirst = place === 0;
      return { transport, priority: -place, weight: isFirst ? HEAVY : 1, ...(isFirst && { selector: () => true }) };
    });
    await using all = new PoolTransport({ strategy, transports, timeout: TIMEOUT_MS });
    const message = createMessage({ from: FROM, to: [...TO], subject: 'Hi', content: { text: 'Hello.' } });
    return (await all.send(message)).successful;
  };
  return { smtp };
}

const TRANSPORTS: Readonly<Record<string, (place: Place) => Transporter>> = {
  smtp: ({ port, login }) =>
    createTransport({
      host: '127.0.0.1',
      port: port ?? 0,
      ignoreTLS: true,
      socketTimeout: TIMEOUT_MS,
      ...(login && { auth: login }),
    }),
  ses: ({ url }) => {
    const sesClient = new SESv2Client({
      endpoint: url ?? '',
      region: 'us-east-1',
      credentials: { accessKeyId: 'AKIDPEERS', secretAccessKey: 'k' },
      requestHandler: {
        connectionTimeout: TIMEOUT_MS,
        requestTimeout: TIMEOUT_MS,
        throwOnRequestTimeout: true,
      },
    });
    return createTransport({ SES: { sesClient, SendEmailCommand } });
  },
};

const loop = Object.fromEntries(
  Object.entries(TRANSPORTS).map(([kind, connect]): [string, Peer] => [
    kind,
    async (places) => {
      for (const place of places) {
        const transport = connect(place);
        try {
          await transport.sendMail({ from: FROM, to: [...TO], subject: 'Hi', text: 'Hello.' });
          return true;
        } catch {
          // the next one
        } finally {
          transport.close();
        }
      }
      return false;
    },
  ]),
);

function versionOf(name: string, from = '.'): string {
  const { version } = JSON.parse(
    readFileSync(new URL(`${from}/node_modules/${name}/package.json`, import.meta.url), 'utf8'),
  ) as { version: string };
  return version;
}

const inPool = `\`@upyo/pool\` ${versionOf('@upyo/pool')}`;

/** Every way of sending, by name, over each provider that it has a transport for. */
export const PEERS: Readonly<Record<string, Readonly<Record<string, Peer>>>> = {
  '`failover` of amsdal-mail': ours((all) => failover(all)),
  '`roundRobin` of amsdal-mail': ours((all) => roundRobin(all)),
  '`weighted` of amsdal-mail': ours((all) =>
    weighted(all.map((connection, place) => ({ connection, weight: place === 0 ? HEAVY : 1 }))),
  ),
  [`${inPool}, priority`]: pool('priority'),
  [`${inPool}, round-robin`]: pool('round-robin'),
  [`${inPool}, weighted`]: pool('weighted'),
  [`${inPool}, selector-based`]: pool('selector-based'),
  [`\`nodemailer\` ${versionOf('nodemailer')}, in a loop`]: loop,
};

/** Of what they send over. */
export const VERSIONS = { upyoSmtp: versionOf('@upyo/smtp'), awsSdk: versionOf('@aws-sdk/client-sesv2', '../..') };
