import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../../src/smtp-server/certificate.ts';
import type { TestCertificates } from './certificates.ts';
import { Maildir } from './maildir.ts';
import { freePorts, run, until } from './process.ts';

/** The ways into a {@link Postfix}: each is a port with settings of its own. */
export type Entrance =
  /** Everything Postfix offers, no login needed. */
  | 'plain'
  /** As `plain` but without CHUNKING. */
  | 'noChunking'
  /** As `plain` but without PIPELINING and CHUNKING. */
  | 'lockstep'
  /** As `plain` but without SMTPUTF8. */
  | 'ascii'
  /** STARTTLS and then AUTH required. */
  | 'submission'
  /** TLS from the first octet, AUTH required. */
  | 'smtps'
  /** AUTH offered before TLS too. */
  | 'insecureAuth'
  /** STARTTLS is not offered. */
  | 'noTls'
  /** At most 20 recipients a mail. */
  | 'fewRecipients'
  /** Mails of at most 1,000,000 octets. */
  | 'small'
  /** Hangs up after 3 seconds of silence. */
  | 'impatient'
  /** STARTTLS with a certificate that has ended. */
  | 'expired'
  /** STARTTLS with a certificate for another host. */
  | 'wrongHost'
  /** STARTTLS with a self-signed certificate. */
  | 'selfSigned';

const SETTINGS: Readonly<Record<Entrance, readonly string[]>> = {
  plain: [],
  noChunking: ['smtpd_discard_ehlo_keywords=chunking'],
  lockstep: ['smtpd_discard_ehlo_keywords=chunking,pipelining'],
  ascii: ['smtputf8_enable=no'],
  submission: [
    'smtpd_tls_security_level=encrypt',
    'smtpd_sasl_auth_enable=yes',
    'smtpd_client_restrictions=permit_sasl_authenticated,reject',
  ],
  smtps: [
    'smtpd_tls_wrappermode=yes',
    'smtpd_sasl_auth_enable=yes',
    'smtpd_client_restrictions=permit_sasl_authenticated,reject',
  ],
  insecureAuth: ['smtpd_tls_auth_only=no', 'smtpd_sasl_auth_enable=yes'],
  noTls: ['smtpd_tls_security_level=none'],
  fewRecipients: ['smtpd_recipient_limit=20'],
  small: ['message_size_limit=1000000'],
  impatient: ['smtpd_timeout=3s'],
  expired: certificateSettings('expired'),
  wrongHost: certificateSettings('wrongHost'),
  selfSigned: certificateSettings('selfSigned'),
};

/** Who judges logins: Dovecot, or Cyrus SASL with saslauthd. */
interface SaslService {
  /** What a Postfix needs in its main.cf. */
  readonly postfixSettings: string;
  /** What Cyrus SASL reads in Postfix. */
  readonly saslConfiguration?: string;
}

/**
 * A real Postfix on loopback. It delivers every mail to one maildir, whatever the recipient, but refuses recipients whose
 * local part begins with `unknown` (550 5.1.1), `blocked` (554 5.7.1) or `later` (450 4.2.0); nothing ever leaves the machine.
 */
export class Postfix implements AsyncDisposable {
  readonly ports: Readonly<Record<Entrance, number>>;
  /** Where the mails arrive. */
  readonly maildir: Maildir;
  readonly #folder: string;

  private constructor(folder: string, ports: Readonly<Record<Entrance, number>>) {
    this.#folder = folder;
    this.ports = ports;
    this.maildir = new Maildir(join(folder, 'mail/all'));
  }

  /** Starts a Postfix in a folder of its own; AUTH works when there is a service for it. */
  static async start(certificates: TestCertificates, sasl?: SaslService): Promise<Postfix> {
    const folder = await mkdtemp(join(tmpdir(), 'postfix-'));
    await chmod(folder, 0o755);
    const entrances = Object.keys(SETTINGS) as Entrance[]; // its own keys
    const free = await freePorts(entrances.length);
    const ports = Object.fromEntries(entrances.map((name, i) => [name, free[i] ?? 0])) as Record<Entrance, number>; // all of them
    const [uid, gid] = [Number(await run('id', ['-u', 'postfix'])), Number(await run('id', ['-g', 'postfix']))];
    for (const name of ['config', 'queue', 'data', 'mail']) await mkdir(join(folder, name));
    await chown(join(folder, 'data'), uid, gid);
    await chown(join(folder, 'mail'), uid, gid);
    for (const name of ['good', 'expired', 'wrongHost', 'selfSigned'] as const)
      await writeChain(folder, name, certificates[name]);
    await writeFile(
      join(folder, 'config/recipients'),
      [
        '/^unknown/ 550 5.1.1 Recipient address rejected: User unknown',
        '/^blocked/ 554 5.7.1 Recipient address rejected: Access denied',
        '/^later/   450 4.2.0 Recipient address rejected: Greylisted',
        '',
      ].join('\n'),
    );
    await writeFile(join(folder, 'config/main.cf'), mainSettings(folder, uid, gid, sasl));
    if (sasl?.saslConfiguration !== undefined) {
      await mkdir(join(folder, 'config/sasl')); // where Debian's Postfix looks, whatever cyrus_sasl_config_path says
      await writeFile(join(folder, 'config/sasl/smtpd.conf'), sasl.saslConfiguration);
    }
    await writeFile(join(folder, 'config/master.cf'), services(entrances, ports));
    const postfix = new Postfix(folder, ports);
    try {
      await run('postfix', ['-c', join(folder, 'config'), 'start']);
      await until(
        () => /daemon started/.test(postfix.log()),
        () => postfix.log(),
      );
    } catch (error) {
      const log = postfix.log();
      await postfix.stop().catch(() => {}); // it may not run at all
      throw new Error(`Postfix does not start: ${log}`, { cause: error });
    }
    return postfix;
  }

  /** What Postfix logged. */
  log(): string {
    const path = join(this.#folder, 'postfix.log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** How many connections came in at one entrance. */
  connections(entrance: Entrance): number {
    return this.log().match(new RegExp(`postfix/${entrance}/smtpd\\[\\d+\\]: connect from`, 'g'))?.length ?? 0;
  }

  /** Waits until the queue is empty, so that the maildir holds everything that was accepted. */
  async settled(): Promise<Maildir> {
    await until(
      () =>
        ['incoming', 'active', 'deferred', 'maildrop'].every(
          (name) => countMails(join(this.#folder, 'queue', name)) === 0,
        ),
      () => `mails stay in the queue:\n${this.log().split('\n').slice(-30).join('\n')}`,
    );
    return this.maildir;
  }

  async stop(): Promise<void> {
    try {
      await run('postfix', ['-c', join(this.#folder, 'config'), 'stop']);
    } finally {
      await rm(this.#folder, { recursive: true, force: true });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function certificateSettings(name: string): string[] {
  return [`smtpd_tls_chain_files=$config_directory/${name}.pem`];
}

function writeChain(folder: string, name: string, { key, cert }: Certificate): Promise<void> {
  return writeFile(join(folder, `config/${name}.pem`), key + cert, { mode: 0o600 });
}

/** The mails of a queue that are complete: Postfix then makes their files executable. */
function countMails(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const stats = statSync(join(folder, name), { throwIfNoEntry: false });
    return stats?.isFile() && (stats.mode & 0o100) !== 0;
  }).length;
}

function mainSettings(folder: string, uid: number, gid: number, sasl: SaslService | undefined): string {
  return `
compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/postfix.log
maillog_file_prefixes = ${folder}
mail_owner = postfix
myhostname = localhost
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
local_recipient_maps =
alias_maps =
virtual_mailbox_domains = static:all
virtual_mailbox_maps = static:all/
virtual_mailbox_base = ${folder}/mail
virtual_uid_maps = static:${uid}
virtual_gid_maps = static:${gid}
default_transport = error:nothing leaves this machine
smtpd_recipient_restrictions = check_recipient_access regexp:${folder}/config/recipients, reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_chain_files = $config_directory/good.pem
smtpd_tls_auth_only = yes
${sasl?.postfixSettings ?? ''}
smtpd_sasl_security_options = noanonymous
# The limits are those Postfix comes with, but for the size: the tests send mails of more than 10 MB.
message_size_limit = 100000000
virtual_mailbox_limit = 0
`;
}

function services(entrances: readonly Entrance[], ports: Readonly<Record<Entrance, number>>): string {
  const inet = entrances.flatMap((name) => [
    `127.0.0.1:${ports[name]} inet n - n - - smtpd`,
    `  -o syslog_name=postfix/${name}`,
    ...SETTINGS[name].map((setting) => `  -o ${setting}`),
  ]);
  return [
    ...inet,
    'cleanup    unix n - n - 0 cleanup',
    'qmgr       unix n - n 300 1 qmgr',
    'tlsmgr     unix - - n 1000? 1 tlsmgr',
    'rewrite    unix - - n - - trivial-rewrite',
    'bounce     unix - - n - 0 bounce',
    'defer      unix - - n - 0 bounce',
    'trace      unix - - n - 0 bounce',
    'verify     unix - - n - 1 verify',
    'proxymap   unix - - n - - proxymap',
    'error      unix - - n - - error',
    'retry      unix - - n - - error',
    'virtual    unix - n n - - virtual',
    'anvil      unix - - n - 1 anvil',
    'postlog    unix-dgram n - n - 1 postlogd',
    '',
  ].join('\n');
}
