import type { Vendor } from './vendor.ts';

/** Every vendor that is emulated, each loaded with its first request. */
export const VENDORS: Readonly<Record<string, () => Promise<{ readonly vendor: Vendor }>>> = {
  resend: () => import('./resend.ts'),
  sendgrid: () => import('./sendgrid.ts'),
  postmark: () => import('./postmark.ts'),
  mailgun: () => import('./mailgun.ts'),
  brevo: () => import('./brevo.ts'),
  cloudflare: () => import('./cloudflare.ts'),
  ses: () => import('./ses.ts'),
};
