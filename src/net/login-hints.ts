/** What a refused login usually means, by the host of a well-known service: from its own help page on "SMTP settings". */
const HINTS: Readonly<Record<string, string>> = {
  'smtp.aol.com': appPassword('AOL', 'https://login.aol.com/account/security'),
  // https://developers.brevo.com/docs/smtp-integration
  'smtp-relay.brevo.com': 'Brevo: use the SMTP login and an SMTP key (Settings, SMTP & API), not an API key',
  // https://developers.cloudflare.com/email-service/api/send-emails/smtp/
  'smtp.mx.cloudflare.net':
    'Cloudflare: the user name is api_token, the password an API token with the permission Email Sending: Edit',
  'smtp.fastmail.com': appPassword('Fastmail', 'Settings, Privacy & Security, Manage app passwords'),
  'smtp.gmail.com': appPassword(
    'Gmail',
    'https://myaccount.google.com/apppasswords (2-Step Verification must be on), or use oauth2 with the scope https://mail.google.com/',
  ),
  'mail.gmx.com':
    'GMX: allow POP3 and IMAP access in the settings of the mailbox; with two-factor login, use an app password',
  'smtp.mail.me.com': appPassword('iCloud', 'https://account.apple.com (Sign-In and Security)'),
  'smtp.eu.mailgun.org':
    'Mailgun: use the SMTP credentials of the sending domain, not the API key; domains in the US need mailgun-smtp',
  'smtp.mailgun.org':
    'Mailgun: use the SMTP credentials of the sending domain, not the API key; domains in the EU need mailgun-eu-smtp',
  'smtp.office365.com':
    'Microsoft 365: allow "Authenticated SMTP" for the mailbox and the tenant, or use oauth2: passwords are being retired',
  'smtp-mail.outlook.com':
    'Outlook.com takes no passwords any more: use oauth2 (scope https://outlook.office.com/SMTP.Send)',
  // https://postmarkapp.com/developer/user-guide/send-email-with-smtp
  'smtp.postmarkapp.com': 'Postmark: user name and password are both the token of the server',
  'smtp.protonmail.ch':
    'Proton Mail: use an SMTP token of your own domain (Settings, IMAP/SMTP), not the password of the account',
  // https://resend.com/docs/send-with-smtp
  'smtp.resend.com': 'Resend: the user name is resend, the password an API key',
  // https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api
  'smtp.sendgrid.net': 'SendGrid: the user name is apikey, the password an API key with the scope mail.send',
  'smtp.mail.yahoo.com': appPassword('Yahoo', 'https://login.yahoo.com/account/security'),
  'smtp.yandex.com': appPassword('Yandex', 'https://id.yandex.com/security/app-passwords'),
  'smtp.zoho.com': appPassword(
    'Zoho',
    'https://accounts.zoho.com (Security); accounts of other regions have other hosts, such as smtp.zoho.eu',
  ),
};

/** What a refused login usually means at this host, or null for an unknown host. */
export function loginHintFor(host: string): string | null {
  const name = host.toLowerCase();
  return Object.hasOwn(HINTS, name) ? (HINTS[name] ?? null) : null;
}

function appPassword(service: string, where: string): string {
  return `${service} wants an app password here, not the password of the account: make one at ${where}`;
}
