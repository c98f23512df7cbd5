/** A well-known mail service: its submission server, and what a refused login usually means there. */
export interface Preset {
  readonly host: string;
  readonly port: number;
  readonly security: 'implicit' | 'required';
  /** What to do about a refused login. */
  readonly loginHint: string;
}

/** The names of the presets that `getConnection` and AMSDAL_EMAIL_BACKEND know. */
export type PresetName =
  | 'aol'
  | 'brevo-smtp'
  | 'cloudflare-smtp'
  | 'fastmail'
  | 'gmail'
  | 'gmx'
  | 'icloud'
  | 'mailgun-eu-smtp'
  | 'mailgun-smtp'
  | 'office365'
  | 'outlook'
  | 'postmark-smtp'
  | 'proton'
  | 'resend-smtp'
  | 'sendgrid-smtp'
  | 'yahoo'
  | 'yandex'
  | 'zoho';

function appPassword(service: string, where: string): string {
  return `${service} wants an app password here, not the password of the account: make one at ${where}`;
}

/** From each service's own help page on "SMTP settings". */
const PRESETS: Readonly<Record<PresetName, Preset>> = {
  aol: {
    host: 'smtp.aol.com',
    port: 465,
    security: 'implicit',
    loginHint: /* @__PURE__ */ appPassword('AOL', 'https://login.aol.com/account/security'),
  },
  // https://developers.brevo.com/docs/smtp-integration
  'brevo-smtp': {
    host: 'smtp-relay.brevo.com',
    port: 465,
    security: 'implicit',
    loginHint: 'Brevo: use the SMTP login and an SMTP key (Settings, SMTP & API), not an API key',
  },
  // https://developers.cloudflare.com/email-service/api/send-emails/smtp/
  'cloudflare-smtp': {
    host: 'smtp.mx.cloudflare.net',
    port: 465,
    security: 'implicit',
    loginHint:
      'Cloudflare: the user name is api_token, the password an API token with the permission Email Sending: Edit',
  },
  fastmail: {
    host: 'smtp.fastmail.com',
    port: 465,
    security: 'implicit',
    loginHint: /* @__PURE__ */ appPassword('Fastmail', 'Settings, Privacy & Security, Manage app passwords'),
  },
  gmail: {
    host: 'smtp.gmail.com',
    port: 465,
    security: 'implicit',
    loginHint: /* @__PURE__ */ appPassword(
      'Gmail',
      'https://myaccount.google.com/apppasswords (2-Step Verification must be on), or use oauth2 with the scope https://mail.google.com/',
    ),
  },
  gmx: {
    host: 'mail.gmx.com',
    port: 587,
    security: 'required',
    loginHint:
      'GMX: allow POP3 and IMAP access in the settings of the mailbox; with two-factor login, use an app password',
  },
  icloud: {
    host: 'smtp.mail.me.com',
    port: 587,
    security: 'required',
    loginHint: /* @__PURE__ */ appPassword('iCloud', 'https://account.apple.com (Sign-In and Security)'),
  },
  'mailgun-eu-smtp': {
    host: 'smtp.eu.mailgun.org',
    port: 587,
    security: 'required',
    loginHint:
      'Mailgun: use the SMTP credentials of the sending domain, not the API key; domains in the US need mailgun-smtp',
  },
  'mailgun-smtp': {
    host: 'smtp.mailgun.org',
    port: 587,
    security: 'required',
    loginHint:
      'Mailgun: use the SMTP credentials of the sending domain, not the API key; domains in the EU need mailgun-eu-smtp',
  },
  office365: {
    host: 'smtp.office365.com',
    port: 587,
    security: 'required',
    loginHint:
      'Microsoft 365: allow "Authenticated SMTP" for the mailbox and the tenant, or use oauth2: passwords are being retired',
  },
  outlook: {
    host: 'smtp-mail.outlook.com',
    port: 587,
    security: 'required',
    loginHint: 'Outlook.com takes no passwords any more: use oauth2 (scope https://outlook.office.com/SMTP.Send)',
  },
  // https://postmarkapp.com/developer/user-guide/send-email-with-smtp
  'postmark-smtp': {
    host: 'smtp.postmarkapp.com',
    port: 587,
    security: 'required',
    loginHint: 'Postmark: user name and password are both the token of the server',
  },
  proton: {
    host: 'smtp.protonmail.ch',
    port: 587,
    security: 'required',
    loginHint:
      'Proton Mail: use an SMTP token of your own domain (Settings, IMAP/SMTP), not the password of the account',
  },
  // https://resend.com/docs/send-with-smtp
  'resend-smtp': {
    host: 'smtp.resend.com',
    port: 465,
    security: 'implicit',
    loginHint: 'Resend: the user name is resend, the password an API key',
  },
  // https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api
  'sendgrid-smtp': {
    host: 'smtp.sendgrid.net',
    port: 587,
    security: 'required',
    loginHint: 'SendGrid: the user name is apikey, the password an API key with the scope mail.send',
  },
  yahoo: {
    host: 'smtp.mail.yahoo.com',
    port: 465,
    security: 'implicit',
    loginHint: /* @__PURE__ */ appPassword('Yahoo', 'https://login.yahoo.com/account/security'),
  },
  yandex: {
    host: 'smtp.yandex.com',
    port: 465,
    security: 'implicit',
    loginHint: /* @__PURE__ */ appPassword('Yandex', 'https://id.yandex.com/security/app-passwords'),
  },
  zoho: {
    host: 'smtp.zoho.com',
    port: 465,
    security: 'implicit',
    loginHint: /* @__PURE__ */ appPassword(
      'Zoho',
      'https://accounts.zoho.com (Security); accounts of other regions have other hosts, such as smtp.zoho.eu',
    ),
  },
};

/** The preset of a name. */
export function findPreset(name: string): Preset | undefined {
  return Object.hasOwn(PRESETS, name) ? PRESETS[name as PresetName] : undefined; // hasOwn has checked the key
}

/** The names of all presets. */
export function presetNames(): readonly string[] {
  return Object.keys(PRESETS);
}

/** What a refused login usually means at this host, or null for an unknown host. */
export function loginHintFor(host: string): string | null {
  const name = host.toLowerCase();
  return Object.values(PRESETS).find((preset) => preset.host === name)?.loginHint ?? null;
}
