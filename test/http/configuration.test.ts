import { afterEach, describe, expect, test, vi } from 'vitest';
import { getConnection } from '../../src/connection/connection.ts';
import type { HttpBackend } from '../../src/http/http-backend.ts';
import { ConfigurationError } from '../../src/model/errors.ts';

afterEach(() => vi.unstubAllEnvs());

/** A backend, its variables, the same as a URL, and what the first request says of them. */
const WAYS: readonly [string, Readonly<Record<string, string>>, string, RegExp][] = [
  ['resend', { RESEND_API_KEY: 're_1' }, 'resend://re_1@', /^https:\/\/api\.resend\.com\/emails Bearer re_1$/],
  ['resend', { RESEND_API_KEY: 're_1' }, 'resend://re_1@?timeoutMs=5000', /Bearer re_1$/],
  [
    'sendgrid',
    { SENDGRID_API_KEY: 'SG.a.b' },
    'sendgrid://SG.a.b@',
    /^https:\/\/api\.sendgrid\.com\/v3\/mail\/send Bearer SG\.a\.b$/,
  ],
  [
    'postmark',
    { POSTMARK_SERVER_TOKEN: '11111111-2222-3333-4444-555555555555' },
    `postmark://11111111-2222-3333-4444-555555555555@/`,
    /^https:\/\/api\.postmarkapp\.com\/email 1{8}-/,
  ],
  [
    'brevo',
    { BREVO_API_KEY: 'xkeysib-1' },
    'brevo://xkeysib-1@',
    /^https:\/\/api\.brevo\.com\/v3\/smtp\/email xkeysib-1$/,
  ],
  [
    'cloudflare',
    { CLOUDFLARE_API_TOKEN: '0123456789abcdef0123', CLOUDFLARE_ACCOUNT_ID: '0123456789abcdef0123456789abcdef' },
    `cloudflare://0123456789abcdef0123@0123456789abcdef0123456789abcdef`,
    /^https:\/\/api\.cloudflare\.com\/client\/v4\/accounts\/0123456789abcdef0123456789abcdef\/email\/sending\/send_raw Bearer 0123/,
  ],
  [
    'azure',
    {
      AZURE_COMMUNICATION_CONNECTION_STRING:
        'endpoint=https://shop.communication.azure.com/;accesskey=MDEyMzQ1Njc4OWFiY2RlZg==',
    },
    'azure://MDEyMzQ1Njc4OWFiY2RlZg%3D%3D@shop.communication.azure.com',
    /^https:\/\/shop\.communication\.azure\.com\/emails:send\?api-version=2025-09-01 HMAC-SHA256 SignedHeaders=/,
  ],
  [
    'gmail-api',
    { GMAIL_ACCESS_TOKEN: 'ya29.a0Abcdef' },
    'gmail-api://ya29.a0Abcdef@',
    /^https:\/\/gmail\.googleapis\.com\/upload\/gmail\/v1\/users\/me\/messages\/send\?uploadType=media Bearer ya29\.a0Abcdef$/,
  ],
  [
    'microsoft-graph',
    { MICROSOFT_GRAPH_ACCESS_TOKEN: 'eyJ0eXAi.eyJhdWQi.abc' },
    'microsoft-graph://eyJ0eXAi.eyJhdWQi.abc@?timeoutMs=5000',
    /^https:\/\/graph\.microsoft\.com\/v1\.0\/users\/a@example\.com\/sendMail Bearer eyJ0eXAi\.eyJhdWQi\.abc$/,
  ],
  [
    'mandrill',
    { MANDRILL_API_KEY: 'md-0123456789abcdefghij' },
    'mandrill://md-0123456789abcdefghij@',
    /^https:\/\/mandrillapp\.com\/api\/1\.0\/messages\/send md-0123456789abcdefghij$/,
  ],
  [
    'mailgun',
    { MAILGUN_API_KEY: '0123456789abcdef0123', MAILGUN_DOMAIN: 'mg.example.com', MAILGUN_REGION: 'eu' },
    `mailgun://0123456789abcdef0123@mg.example.com?region=eu`,
    /^https:\/\/api\.eu\.mailgun\.net\/v3\/mg\.example\.com\/messages Basic /,
  ],
  [
    'mailjet',
    { MAILJET_API_KEY: '0123456789abcdef0123456789abcdef', MAILJET_SECRET_KEY: 'ffffffffffffffffffffffffffffffff' },
    `mailjet://0123456789abcdef0123456789abcdef:ffffffffffffffffffffffffffffffff@?region=eu`,
    /^https:\/\/api\.mailjet\.com\/v3\.1\/send Basic MDEyMzQ1Njc4/,
  ],
  [
    'mailtrap',
    { MAILTRAP_API_KEY: '0123456789abcdef0123456789abcdef' },
    `mailtrap://0123456789abcdef0123456789abcdef@?stream=transactional`,
    /^https:\/\/send\.api\.mailtrap\.io\/api\/send Bearer 0123/,
  ],
  [
    'mailtrap',
    { MAILTRAP_API_KEY: '0123456789abcdef0123456789abcdef', MAILTRAP_SANDBOX_ID: '1234567' },
    `mailtrap://0123456789abcdef0123456789abcdef@?sandboxId=1234567`,
    /^https:\/\/sandbox\.api\.mailtrap\.io\/api\/send\/1234567 Bearer 0123/,
  ],
  [
    'mailersend',
    { MAILERSEND_API_KEY: 'mlsn.123' },
    'mailersend://mlsn.123@',
    /^https:\/\/api\.mailersend\.com\/v1\/email Bearer mlsn\.123$/,
  ],
  [
    'sparkpost',
    { SPARKPOST_API_KEY: '0123456789abcdef0123456789abcdef01234567' },
    'sparkpost://0123456789abcdef0123456789abcdef01234567@?region=us',
    /^https:\/\/api\.sparkpost\.com\/api\/v1\/transmissions 0123456789abcdef/,
  ],
];

/** Where the first request goes, and with which key. */
async function firstRequest(connect: (fetch: typeof globalThis.fetch) => HttpBackend): Promise<string> {
  let asked = '';
  const backend = connect(async (url, init) => {
    const headers = new Headers(init?.headers);
    const key = headers.get('authorization') ?? headers.get('x-postmark-server-token') ?? headers.get('api-key');
    asked = `${String(url)} ${key ?? JSON.parse(String(init?.body)).key}`;
    return new Response('{}', { status: 400 });
  });
  await backend.sendMessages([{ subject: 's', body: 'b', fromEmail: 'a@example.com', to: 'b@example.org' }], {
    failSilently: true,
  });
  return asked;
}

describe.each(WAYS)('%s', (name, variables, url, expected) => {
  test(`by ${Object.keys(variables).join(' and ')}`, async () => {
    for (const [variable, value] of Object.entries(variables)) vi.stubEnv(variable, value);
    const asked = await firstRequest((fetch) => getConnection(name, { fetch }) as unknown as HttpBackend);
    expect(asked).toMatch(expected);
  });

  test(`by ${url}`, async () => {
    const asked = await firstRequest((fetch) => getConnection(url, { fetch }) as unknown as HttpBackend);
    expect(asked).toMatch(expected);
  });

  test('a key of the wrong shape is refused by its variable, with a right one, and is not shown', () => {
    const [variable = ''] = Object.keys(variables);
    vi.stubEnv(variable, 'wrong key!');
    const error = refusal(() => getConnection(name));
    expect(error).toMatchObject({ code: 'invalid-option', variable });
    expect(error.message).toContain(`for example ${variable}=`);
    expect(error.message).not.toContain('wrong key!');
  });

  test('without a key it is refused, and the variable is named', () => {
    for (const variable of Object.keys(variables)) vi.stubEnv(variable, '');
    const error = refusal(() => getConnection(name));
    expect(error.code).toBe('missing-option');
    expect(error.message).toContain(Object.keys(variables)[0]);
  });
});

function refusal(make: () => unknown): ConfigurationError {
  try {
    make();
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

test('a URL for a server needs its host all the same', () => {
  expect(() => getConnection('smtp://user:password@')).toThrow('the host is missing');
});

describe('the login of SMTP', () => {
  test.each([{ username: 'u' }, { password: 'the password' }, { host: 'smtp.mailgun.org' }])(
    '%j given to mailgun names the preset',
    (options) => {
      const error = refusal(() => getConnection('mailgun', options as object));
      expect(error).toMatchObject({ code: 'unknown-option', option: Object.keys(options)[0] });
      expect(error.message).toMatch(/this backend speaks HTTP: give apiKey, or send over 'mailgun-smtp'$/);
      expect(error.message).not.toContain('the password');
    },
  );

  test('without a key the preset is named, too', () => {
    expect(refusal(() => getConnection('mailgun')).message).toMatch(/MAILGUN_API_KEY; .*'mailgun-smtp'$/);
  });

  test('given to another provider it names the preset of that', () => {
    const error = refusal(() => getConnection('postmark', { username: 'u' } as object));
    expect(error.message).toMatch(/give serverToken, or send over 'postmark-smtp'$/);
  });

  test('the preset by its old name is told the new one', () => {
    expect(refusal(() => getConnection('mailgun-eu')).message).toContain("did you mean 'mailgun-eu-smtp'?");
  });

  test('goes to the server of the preset', () => {
    expect(getConnection('mailgun-smtp', { username: 'u', password: 'p' }).name).toBe('smtp');
  });
});
