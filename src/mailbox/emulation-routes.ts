import { importOwn } from '../options/own-file.ts';
import type { Chaos } from './catch/chaos.ts';
import type { Emulation } from './emulate/emulation.ts';
import type { MailStore } from './store/mail-store.ts';
import { errorReply, type Reply } from './web/reply.ts';
import type { RouteRequest, Routes } from './web/router.ts';

type Vendors = typeof import('./emulate/vendors.ts');

/** The sending endpoints of vendors, each below a base URL of its own. */
export function emulationRoutes(store: MailStore, chaos: Chaos): Routes {
  const emulations = new Map<string, Promise<Emulation | null>>();
  // Bundlers would put what the mailbox loads later into every bundle with the mailbox's backend.
  const vendors = async (): Promise<Vendors> =>
    (await importOwn(import.meta.url, './emulate/vendors', 'the mailbox needs')) as Vendors; // this package's own file
  const find = (name: string): Promise<Emulation | null> => {
    const known = emulations.get(name);
    if (known !== undefined) return known;
    const made = vendors().then(({ loadEmulation }) => loadEmulation(name, store, chaos));
    emulations.set(name, made);
    const forget = () => emulations.delete(name);
    made.then((emulation) => emulation === null && forget(), forget);
    return made;
  };
  const answer = async (request: RouteRequest): Promise<Reply | null> => {
    const { vendor = '', path = '' } = request.params;
    const emulation = await find(vendor);
    if (emulation !== null) return emulation.answer(request, `/${path}`);
    const known = Object.keys((await vendors()).VENDORS).join(', ');
    return errorReply(404, 'not-found', `there is no vendor ${vendor}; these are emulated: ${known}`);
  };
  const methods = ['GET', 'POST', 'PUT', 'DELETE'];
  return Object.fromEntries(methods.map((method) => [`${method} /api/emulate/:vendor/*path`, answer]));
}
