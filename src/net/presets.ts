/** The submission server of a well-known mail service. */
export interface Preset {
  readonly host: string;
  readonly port: number;
  readonly security: 'implicit' | 'required';
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

/** Host and port, from each service's own help page on "SMTP settings": TLS from the first byte on 465, by STARTTLS on 587. */
const SERVERS: Readonly<Record<PresetName, readonly [host: string, port: 465 | 587]>> = {
  aol: ['smtp.aol.com', 465],
  // https://developers.brevo.com/docs/smtp-integration
  'brevo-smtp': ['smtp-relay.brevo.com', 465],
  // https://developers.cloudflare.com/email-service/api/send-emails/smtp/
  'cloudflare-smtp': ['smtp.mx.cloudflare.net', 465],
  fastmail: ['smtp.fastmail.com', 465],
  gmail: ['smtp.gmail.com', 465],
  gmx: ['mail.gmx.com', 587],
  icloud: ['smtp.mail.me.com', 587],
  'mailgun-eu-smtp': ['smtp.eu.mailgun.org', 587],
  'mailgun-smtp': ['smtp.mailgun.org', 587],
  office365: ['smtp.office365.com', 587],
  outlook: ['smtp-mail.outlook.com', 587],
  // https://postmarkapp.com/developer/user-guide/send-email-with-smtp
  'postmark-smtp': ['smtp.postmarkapp.com', 587],
  proton: ['smtp.protonmail.ch', 587],
  // https://resend.com/docs/send-with-smtp
  'resend-smtp': ['smtp.resend.com', 465],
  // https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api
  'sendgrid-smtp': ['smtp.sendgrid.net', 587],
  yahoo: ['smtp.mail.yahoo.com', 465],
  yandex: ['smtp.yandex.com', 465],
  zoho: ['smtp.zoho.com', 465],
};

/** The preset of a name. */
export function findPreset(name: string): Preset | undefined {
  if (!Object.hasOwn(SERVERS, name)) return undefined;
  const [host, port] = SERVERS[name as PresetName]; // hasOwn has checked the key
  return { host, port, security: port === 465 ? 'implicit' : 'required' };
}

/** The names of all presets. */
export function presetNames(): readonly string[] {
  return Object.keys(SERVERS);
}
