import { ConsoleBackend } from 'amsdal-mail/console';

new ConsoleBackend().sendMessages([
  { subject: 'Hello', body: 'Text', fromEmail: 'shop@example.com', to: 'ann@example.org' },
]);
