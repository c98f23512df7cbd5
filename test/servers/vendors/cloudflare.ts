import type { Vendor } from '../strict-vendor.ts';

interface Raw {
  readonly from: string;
  readonly recipients: string[];
  readonly mime_message: string;
}

/** Cloudflare Email Service. */
export const cloudflare: Vendor = {
  isKnown: ({ authorization }) => authorization === 'Bearer 0123456789abcdefghij0123',
  fault: (status, message) => ({
    status,
    body: { success: false, errors: [{ code: status === 401 ? 10_000 : 10_001, message }], messages: [], result: null },
  }),
  endpoints: {
    '/accounts/*/email/sending/send_raw': {
      // https://developers.cloudflare.com/api/resources/email_sending/methods/send_raw, read 2026-11-30
      shape: { 'from!': 'filled', 'recipients!': ['filled'], 'mime_message!': 'filled' },
      mails: ({ recipients, mime_message }: Raw) => [
        recipients.map((recipient) => ({ recipients: [recipient], source: () => Buffer.from(mime_message, 'latin1') })),
      ],
      answer: ([refused], [id], [asked]) => {
        if (refused)
          return {
            status: 400,
            body: {
              success: false,
              errors: [{ code: 10_002, message: 'a recipient is suppressed' }],
              messages: [],
              result: null,
            },
          };
        const queued = (asked ?? []).flatMap(({ recipients }) => recipients);
        return {
          body: {
            success: true,
            errors: [],
            messages: [],
            result: { delivered: [], permanent_bounces: [], queued, message_id: id },
          },
        };
      },
    },
  },
};
