/** One content that a server took. */
export interface Taken {
  /** Of its header, without brackets. */
  readonly messageId: string;
  readonly sender: string;
  /** Of the envelope. */
  readonly recipients: readonly string[];
  /** As it was before the transfer, an octet a character. */
  readonly content: string;
  /** Whether a reply said so, whether or not it arrived. */
  isConfirmed: boolean;
}

/** What a server took, over all its connections. */
export class Ledger {
  readonly taken: Taken[] = [];
  /** Commands that no client may send here and now. */
  readonly breaches: string[] = [];
  /** What was said and what was done, for who plays a case again. */
  readonly journal: string[] = [];

  take(sender: string, recipients: readonly string[], content: string): Taken {
    const head = content.slice(0, content.indexOf('\r\n\r\n') + 2);
    const ids = [...head.matchAll(/^Message-ID:\s*<([^>]*)>\r$/gim)].map(([, id = '']) => id);
    const taken = {
      messageId: ids.length === 1 ? (ids[0] ?? '') : '',
      sender,
      recipients,
      content,
      isConfirmed: false,
    };
    this.taken.push(taken);
    return taken;
  }

  /** How often the mail was taken for the recipient. */
  times(messageId: string, recipient: string): number {
    return this.taken.filter((mail) => mail.messageId === messageId && mail.recipients.includes(recipient)).length;
  }

  isConfirmed(messageId: string, recipient: string): boolean {
    return this.taken.some(
      (mail) => mail.messageId === messageId && mail.recipients.includes(recipient) && mail.isConfirmed,
    );
  }
}
