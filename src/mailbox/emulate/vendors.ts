import type { Chaos } from '../catch/chaos.ts';
import type { MailStore } from '../store/mail-store.ts';
import type { Emulation } from './emulation.ts';
import type { Vendor } from './vendor.ts';

/** Every vendor that is emulated, each loaded with its first request. */
export const VENDORS: Readonly<Record<string, () => Promise<{ readonly vendor: Vendor }>>> = {
  resend: () => import('./resend.ts'),
  sendgrid: () => import('./sendgrid.ts'),
  postmark: () => import('./postmark.ts'),
  mailgun: () => import('./mailgun.ts'),
  brevo: () => import('./brevo.ts'),
  mailjet: () => import('./mailjet.ts'),
  mailtrap: () => import('./mailtrap.ts'),
  mailersend: () => import('./mailersend.ts'),
  sparkpost: () => import('./sparkpost.ts'),
  mandrill: () => import('./mandrill.ts'),
  azure: () => import('./azure.ts'),
  cloudflare: () => import('./cloudflare.ts'),
  'gmail-api': () => import('./gmail-api.ts'),
  'microsoft-graph': async () => ({ vendor: (await import('./microsoft-graph.ts')).createVendor() }),
  ses: () => import('./ses.ts'),
};

/** What answers the requests of a vendor; null when there is no such vendor. */
export async function loadEmulation(name: string, store: MailStore, chaos: Chaos): Promise<Emulation | null> {
  const load = Object.hasOwn(VENDORS, name) ? VENDORS[name] : undefined;
  if (load === undefined) return null;
  const [{ vendor }, { Emulation }] = await Promise.all([load(), import('./emulation.ts')]);
  return new Emulation(name, vendor, store, chaos);
}
