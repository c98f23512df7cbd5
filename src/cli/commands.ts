import type { Command } from './command.ts';

/** Every command: what it does in a line, and where it is. */
export const COMMANDS: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>> = {
  send: {
    summary: 'send one mail, or one to every row of a CSV file',
    load: async () => (await import('./send-command.ts')).sendCommand,
  },
  check: {
    summary: 'tell whether mail can be sent, and would be believed',
    load: async () => (await import('./check-command.ts')).checkCommand,
  },
  mailbox: {
    summary: 'catch mail and show it in a page',
    load: async () => (await import('./mailbox-command.ts')).mailboxCommand,
  },
};
