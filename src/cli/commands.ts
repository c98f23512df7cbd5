import type { Command } from './command.ts';

/** Every command: its summary, and how to load it. */
export const COMMANDS: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>> = {
  send: {
    summary: 'send one mail, or one to every row of a CSV file',
    load: async () => (await import('./send/send-command.ts')).sendCommand,
  },
  check: {
    summary: 'check whether mail can be sent, and whether receivers trust it',
    load: async () => (await import('./check/check-command.ts')).checkCommand,
  },
  explain: {
    summary: 'show what send would do with a mail, and in how many round trips',
    load: async () => (await import('./explain/explain-command.ts')).explainCommand,
  },
  render: {
    summary: 'show the headers, parts and faults of a mail in a file',
    load: async () => (await import('./render-command.ts')).renderCommand,
  },
  mailbox: {
    summary: 'catch mail and show it in a page',
    load: async () => (await import('./mailbox-command.ts')).mailboxCommand,
  },
  worker: {
    summary: 'send the mails of an outbox',
    load: async () => (await import('./outbox/worker-command.ts')).workerCommand,
  },
  outbox: {
    summary: 'show the mails of an outbox, and decide about them',
    load: async () => (await import('./outbox/outbox-command.ts')).outboxCommand,
  },
  completion: {
    summary: 'complete commands and options in bash, zsh or fish',
    load: async () => (await import('./completion/completion-command.ts')).completionCommand,
  },
};
