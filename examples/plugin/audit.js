// @ts-check
// A plugin of one's own: AMSDAL_CONTRIBS names it, as in the .env beside this file.
import { BeforeSend, DummyBackend, registerBackend, SendFailed } from 'amsdal-mail';
import { AppConfig } from 'amsdal-mail/app';

/** A backend by name, `getConnection('archive')`: this one keeps what it is given. */
export class ArchiveBackend extends DummyBackend {
  constructor() {
    super({ store: true });
  }
}

/** Marks every subject, keeps mail from who has left, and tells what failed. */
export class AuditAppConfig extends AppConfig {
  name = 'audit';

  /** @override */
  onSetup() {
    registerBackend('archive', ArchiveBackend);
    BeforeSend.subscribe(
      (context, next) => {
        const { message } = context;
        if (message.to.some((address) => address.endsWith('@left.example'))) {
          return { ...context, cancelled: 'the recipient has left' };
        }
        return next({ ...context, message: message.with({ subject: `[shop] ${message.subject}` }) });
      },
      { name: 'audit' },
    );
    SendFailed.subscribe(
      (context, next) => {
        process.stderr.write(`failed: ${context.message.subject}: ${context.error.code}\n`);
        return next(context);
      },
      { name: 'audit', onError: 'log' },
    );
  }
}
