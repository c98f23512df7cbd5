import type { Chaos } from '../catch/chaos.ts';
import type { MailStore } from '../store/mail-store.ts';
import { errorReply, type Reply } from '../web/reply.ts';
import type { RouteRequest, Routes } from '../web/router.ts';
import type { Emulation } from './emulation.ts';
import { VENDORS } from './vendors.ts';

/** The sending endpoints of vendors, each below a base URL of its own. */
export function emulationRoutes(store: MailStore, chaos: Chaos): Routes {
  const emulations = new Map<string, Promise<Emulation>>();
  const find = (name: string): Promise<Emulation> | null => {
    const load = Object.hasOwn(VENDORS, name) ? VENDORS[name] : undefined;
    if (load === undefined) return null;
    const known = emulations.get(name);
    if (known !== undefined) return known;
    const made = Promise.all([load(), import('./emulation.ts')]).then(
      ([{ vendor }, { Emulation }]) => new Emulation(name, vendor, store, chaos),
    );
    emulations.set(name, made);
    return made;
  };
  const answer = async (request: RouteRequest): Promise<Reply | null> => {
    const { vendor = '', path = '' } = request.params;
    const emulation = find(vendor);
    if (emulation !== null) return (await emulation).answer(request, `/${path}`);
    const known = Object.keys(VENDORS).join(', ');
    return errorReply(404, 'not-found', `there is no vendor ${vendor}; these are emulated: ${known}`);
  };
  return { 'GET /api/emulate/:vendor/*path': answer, 'POST /api/emulate/:vendor/*path': answer };
}
