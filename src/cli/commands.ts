import type { Command } from './command.ts';

/** Every command: what it does in a line, and where it is. */
export const COMMANDS: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>> = {
  mailbox: {
    summary: 'catch mail and show it in a page',
    load: async () => (await import('./mailbox-command.ts')).mailboxCommand,
  },
};
