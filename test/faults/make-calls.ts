import { EmailError, type MessageResult, type SendStatus, type SmtpBackend, sendMail } from '../../src/index.ts';
import type { CallPlan } from './client-plan.ts';
import type { TrialMail } from './trial-mails.ts';

/**
 * What a call said of a mail: its result, or the error that came without one. Nothing is said of a mail only where the
 * caller left the stream.
 */
export type Told = ReadonlyMap<TrialMail, MessageResult | EmailError>;

/** Sends the mails as the plan has it. @throws whatever a call throws that is no {@link EmailError} */
export function makeCall(
  connection: SmtpBackend,
  { kind, stop }: CallPlan,
  mails: readonly TrialMail[],
): Promise<Told> {
  const call = new Call(connection, mails, stop);
  switch (kind) {
    case 'list':
    case 'silent list':
      return call.list(kind === 'silent list');
    case 'stream':
      return call.stream();
    case 'singles':
      return call.singles();
    case 'one by one':
      return call.oneByOne();
  }
}

class Call {
  readonly #connection: SmtpBackend;
  readonly #mails: readonly TrialMail[];
  readonly #stop: CallPlan['stop'];
  readonly #abort = new AbortController();
  readonly #told = new Map<TrialMail, MessageResult | EmailError>();
  #results = 0;

  constructor(connection: SmtpBackend, mails: readonly TrialMail[], stop: CallPlan['stop']) {
    this.#connection = connection;
    this.#mails = mails;
    this.#stop = stop;
    if (stop?.kind === 'abort after time') setTimeout(() => this.#abort.abort(), stop.ms);
    this.#onResult(0);
  }

  async list(failSilently: boolean): Promise<Told> {
    const { signal } = this.#abort;
    const messages = this.#mails.map(({ message }) => message);
    const onProgress = () => this.#onResult(1);
    await this.#listen(this.#mails, this.#connection.sendMessages(messages, { signal, failSilently, onProgress }));
    return this.#told;
  }

  async stream(): Promise<Told> {
    const { signal } = this.#abort;
    const results = this.#connection.stream(
      this.#mails.map(({ message }) => message),
      { signal },
    );
    for await (const result of results) {
      this.#onResult(1);
      const mail = this.#mails[result.index];
      if (mail) this.#told.set(mail, result);
      if (this.#stop?.kind === 'leave' && this.#results > this.#stop.count) break;
    }
    return this.#told;
  }

  async singles(): Promise<Told> {
    await Promise.all(this.#mails.map((mail) => this.#send(mail)));
    return this.#told;
  }

  async oneByOne(): Promise<Told> {
    for (const mail of this.#mails) await this.#send(mail);
    return this.#told;
  }

  async #send(mail: TrialMail): Promise<void> {
    const { subject, body, fromEmail, to, date, messageId, attachments } = mail.message;
    await this.#listen(
      [mail],
      sendMail({
        connection: this.#connection,
        signal: this.#abort.signal,
        subject,
        message: body,
        fromEmail,
        recipientList: to,
        date,
        messageId,
        attachments,
      }),
    );
    this.#onResult(1);
  }

  async #listen(mails: readonly TrialMail[], sending: Promise<SendStatus>): Promise<void> {
    try {
      this.#tell(mails, await sending);
    } catch (error) {
      if (!(error instanceof EmailError)) throw error;
      if (error.status) this.#tell(mails, error.status);
      for (const mail of mails) if (!this.#told.has(mail)) this.#told.set(mail, error);
    }
  }

  #tell(mails: readonly TrialMail[], { results }: SendStatus): void {
    for (const result of results) {
      const mail = mails[result.index];
      if (mail) this.#told.set(mail, result);
    }
  }

  #onResult(count: number): void {
    this.#results += count;
    if (this.#stop?.kind === 'abort after results' && this.#results >= this.#stop.count) this.#abort.abort();
  }
}
