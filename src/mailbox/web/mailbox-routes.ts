import type { Chaos } from '../catch/chaos.ts';
import type { SmtpAddress } from '../catch/receiver.ts';
import { MAILBOX_NAME } from '../mailbox-options.ts';
import type { Previews } from '../previews.ts';
import type { MailRelease } from '../release.ts';
import type { StoreChange } from '../store/mail-store.ts';
import type { EventStream } from './event-stream.ts';
import { shownMailRoutes } from './message-routes.ts';
import { errorReply, jsonReply } from './reply.ts';
import type { Routes } from './router.ts';

/** The parts of the mailbox that its routes use. */
export interface MailboxParts {
  readonly chaos: Chaos;
  readonly events: EventStream<StoreChange>;
  readonly previews: Previews;
  readonly release: MailRelease | null;
  /** Where the page is. */
  page(): { readonly host: string; readonly port: number };
  smtp(): SmtpAddress | null;
}

/** The API of the mailbox as a whole: info, events, chaos and previews. */
export function mailboxRoutes({ chaos, events, previews, release, page, smtp }: MailboxParts): Routes {
  return {
    'GET /api/info': () =>
      jsonReply({
        name: MAILBOX_NAME,
        page: page(),
        smtp: smtp(),
        release: release?.allowed ?? null,
        chaos: chaos.settings,
      }),
    'GET /api/events': ({ response }) =>
      events.add(response) ? null : errorReply(503, 'too-many', 'too many pages are open'),
    'GET /api/chaos': () => jsonReply(chaos.settings),
    'PUT /api/chaos': async ({ json }) => {
      const fault = chaos.change(await json());
      if (fault !== null) return errorReply(400, 'bad-request', fault);
      events.emit('chaos', chaos.settings);
      return jsonReply(chaos.settings);
    },
    'GET /api/previews': () => jsonReply({ previews: previews.names() }),
    ...shownMailRoutes('/api/previews/:id', ({ params }) => previews.render(params['id'] ?? '')),
  };
}
