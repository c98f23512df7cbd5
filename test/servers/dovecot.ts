import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../../src/smtp-server/certificate.ts';
import { Maildir } from './maildir.ts';
import { freePorts, run, systemPath, until } from './process.ts';

/** Who may log in, and who has a mailbox: `jane@example.test` and `full@example.test`, who has no room left. */
export const USER = 'jane@example.test';
export const PASSWORD = 'pässword with "quotes" and \\ 🔑';
const TOKEN_KEY = 'a key that only the tests and their Dovecot know';

/** A real Dovecot on loopback: SASL for Postfix, and LMTP. */
export class Dovecot implements AsyncDisposable {
  readonly folder: string;
  readonly lmtpPort: number;
  /** Jane's mailbox. */
  readonly maildir: Maildir;
  readonly #config: string;
  readonly #exited: Promise<unknown>;

  private constructor(folder: string, lmtpPort: number) {
    this.folder = folder;
    this.lmtpPort = lmtpPort;
    this.maildir = new Maildir(join(folder, 'mail/jane@example.test'));
    this.#config = join(folder, 'dovecot.conf');
    const child = spawn('dovecot', ['-F', '-c', this.#config], {
      stdio: 'ignore',
      env: { ...process.env, PATH: systemPath() },
    });
    this.#exited = new Promise((resolve) => child.once('close', resolve));
  }

  /** What a Postfix needs in its main.cf. */
  get postfixSettings(): string {
    return `smtpd_sasl_type = dovecot\nsmtpd_sasl_path = ${this.#authSocket}\n`;
  }

  /** The socket of the SASL service. */
  get #authSocket(): string {
    return join(this.folder, 'auth-client');
  }

  /** Starts a Dovecot in a folder of its own. */
  static async start(certificate: Certificate): Promise<Dovecot> {
    const folder = await mkdtemp(join(tmpdir(), 'dovecot-'));
    await chmod(folder, 0o755);
    const [lmtpPort = 0] = await freePorts(1);
    const [uid, gid] = [Number(await run('id', ['-u', 'dovecot'])), Number(await run('id', ['-g', 'dovecot']))];
    await writeFile(
      join(folder, 'users'),
      userLine(USER, '') + userLine('full@example.test', 'userdb_quota_rule=*:bytes=1'),
    );
    await mkdir(join(folder, 'mail'));
    await chown(join(folder, 'mail'), uid, gid);
    await mkdir(join(folder, 'keys/default/HS256'), { recursive: true });
    await writeFile(join(folder, 'keys/default/HS256/default'), Buffer.from(TOKEN_KEY).toString('base64'));
    await writeFile(
      join(folder, 'oauth2.conf'),
      `introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix=${folder}/keys/\nusername_attribute = email\n`,
    );
    await writeFile(join(folder, 'key.pem'), certificate.key, { mode: 0o600 });
    await writeFile(join(folder, 'cert.pem'), certificate.cert);
    await writeFile(join(folder, 'dovecot.conf'), configuration(folder, lmtpPort, uid, gid));
    const dovecot = new Dovecot(folder, lmtpPort);
    try {
      await until(
        () => existsSync(dovecot.#authSocket) && /starting up/.test(dovecot.log()),
        () => dovecot.log(),
      );
    } catch (error) {
      await dovecot.stop();
      throw error;
    }
    return dovecot;
  }

  /** What Dovecot logged. */
  log(): string {
    const path = join(this.folder, 'dovecot.log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '(no log)';
  }

  async stop(): Promise<void> {
    await run('dovecot', ['-c', this.#config, 'stop']);
    await this.#exited;
    await rm(this.folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** A bearer token for a user that {@link Dovecot} accepts until the given time (a JWT, RFC 7519), with a claim to make it long. */
export function makeToken(email: string, expires: number = Date.now() + 3_600_000, padding = ''): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const seconds = Math.floor(expires / 1000);
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ email, sub: email, iat: seconds - 7200, exp: seconds, padding })}`;
  return `${signed}.${createHmac('sha256', TOKEN_KEY).update(signed).digest('base64url')}`;
}

function userLine(user: string, extra: string): string {
  // Base64: the file is split at colons.
  return `${user}:{PLAIN.b64}${Buffer.from(PASSWORD).toString('base64')}::::::${extra}\n`;
}

function configuration(folder: string, lmtpPort: number, uid: number, gid: number): string {
  return `
protocols = lmtp
listen = 127.0.0.1
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/dovecot.log
auth_verbose = yes
auth_failure_delay = 0
auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer
disable_plaintext_auth = no
ssl = yes
ssl_cert = <${folder}/cert.pem
ssl_key = <${folder}/key.pem
first_valid_uid = ${uid}
mail_location = maildir:${folder}/mail/%u
mail_plugins = $mail_plugins quota
plugin {
  quota = count:User quota
  quota_vsizes = yes
}
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ${folder}/oauth2.conf
}
passdb {
  driver = passwd-file
  mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
  args = ${folder}/users
}
userdb {
  driver = passwd-file
  args = ${folder}/users
  override_fields = uid=${uid} gid=${gid} home=${folder}/mail/%u
}
service anvil {
  # no delays after failures
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener ${folder}/auth-client {
    mode = 0666
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${lmtpPort}
  }
}
`;
}
