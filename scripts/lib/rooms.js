// @ts-check

/** @typedef {import('./room-table.js').Room} Room */

/**
 * The rooms: the folders of src. A file beside them, such as index.ts, is a room by itself.
 *
 * `may` lists the rooms a room may import, `types` those it may import from with `import type` only. A room may always
 * import itself, unless it is `alone`: a backend never imports another one. An entry may be one file of a room.
 *
 * @type {Readonly<Record<string, Room>>}
 */
export const ROOMS = {
  util: { what: 'small helpers that know nothing of mail', may: [] },
  model: {
    what: 'messages, attachments, addresses, features, statuses and errors',
    may: ['util', 'mime/read/message-from-eml.ts'],
  },
  events: { what: '`BeforeSend`, `AfterSend` and the other events', may: ['model', 'util'] },
  options: {
    what: 'option tables and the environment: how options are checked, and read from variables; how packages are loaded',
    may: ['model', 'util'],
  },
  net: {
    what: 'the way to a server: addresses, proxies, HTTP requests, TLS failures, access tokens',
    may: ['model', 'util'],
  },
  mime: {
    what: 'messages to bytes (`compose`) and back (`read`), DKIM, `lint`',
    may: ['model', 'util', 'options/optional-package.ts', 'options/late-module.ts'],
    types: ['options'],
  },
  smtp: {
    what: 'bytes to a server: the `protocol`, a `session`, the `queue` of mails before it',
    may: ['net', 'options', 'model/errors.ts', 'model/reply-status.ts', 'util'],
  },
  'smtp-server': {
    what: 'the receiver of tests and demos; a hook decides every reply',
    may: ['model/errors.ts', 'util', 'options/optional-package.ts'],
  },
  backend: {
    what: 'the base class of every backend, what a `call` of one consists of, `blocking` calls, the `staging` guard',
    may: [
      ...['model', 'options', 'events', 'util'],
      ...['mime/composer.ts', 'mime/compose/message-id.ts'], // what every backend gets
    ],
    types: ['net'],
  },
  http: {
    what: 'what backends with an HTTP API share',
    may: [
      ...['backend', 'net', 'options/late-module.ts', 'options/option-table.ts', 'model', 'util'],
      // headers, types and texts as every mail has them
      ...['mime/compose/header-section.ts', 'mime/compose/message-id.ts', 'mime/compose/media-type.ts'],
      'mime/compose/auto-text.ts',
      ...['mime/compose/compose.ts', 'mime/compose/headers.ts'], // whole mails, for providers that take them
    ],
  },
  aws: {
    what: 'requests to services of AWS: credentials, signatures, addresses',
    may: [
      ...['net', 'model/errors.ts', 'util'],
      ...['options/environment.ts', 'options/optional-package.ts'], // where AWS keeps credentials, and a package that finds them
    ],
  },
  backends: {
    what: 'one file a backend; none knows another, or the environment',
    may: [
      ...['backend', 'http', 'aws', 'mime', 'smtp', 'net', 'model', 'util'],
      'options/late-module.ts',
      ...['options/option-table.ts', 'options/optional-package.ts', 'options/refuse-in-workerd.ts'],
    ],
    alone: true,
  },
  wrappers: {
    what: 'backends that are made of connections',
    may: [
      ...['backend', 'events', 'model', 'util', 'options/option-table.ts', 'options/late-module.ts'],
      'options/rate-options.ts',
      ...['options/tracer.ts', 'mime/compose/message-id.ts'], // the same id in every try
    ],
  },
  outbox: {
    what: 'mails that are written down first, in a `store`, and sent by workers',
    may: [
      ...['backend', 'events', 'model', 'util', 'options'],
      ...['wrappers', 'mime/compose/message-id.ts'], // a worker tries as a wrapper does; the same id in every try
      ...['mailbox/page-files.ts', 'mailbox/web/reply.ts', 'mailbox/web/request-guard.ts', 'net/loopback.ts'], // its page
    ],
  },
  mailbox: {
    what: 'the development mailbox: mails are caught (`catch`), kept (`store`) and shown (`web`, `page`); what it answers in the place of vendors (`emulate`); its backend',
    may: ['backend', 'options', 'mime', 'smtp-server', 'model', 'util'],
  },
  connection: {
    what: '`sendMail`; how names, variables and URLs become connections; a connection that opens and closes with a server',
    may: [
      ...['backends', 'mailbox/catch/mailbox-backend.ts', 'wrappers', 'outbox', 'backend'],
      ...['net/presets.ts', 'events', 'options', 'model', 'util'],
    ],
  },
  app: {
    what: 'plugins: what they set up, and when',
    may: ['connection', 'backend', 'events', 'options', 'model', 'util'],
  },
  testing: {
    what: 'what users test with: an `inbox`, matchers, a scripted `server`, the `contract` of backends',
    may: ['connection', 'backend', 'options', 'events', 'mime', 'smtp-server', 'model', 'util'],
  },
  adapters: {
    what: 'Express, Fastify, Hono, Nest, OpenTelemetry and Nodemailer',
    may: ['connection', 'backend', 'options', 'mime', 'events', 'model', 'util'],
    types: ['smtp', 'wrappers', 'outbox'],
  },
  cli: {
    what: 'the command line',
    may: [
      ...['connection', 'backend', 'events', 'mailbox', 'mime', 'model', 'options', 'outbox', 'util'],
      ...['smtp/options.ts', 'smtp-server', 'net/loopback.ts'], // a server to explain a mail without one
      'wrappers/wrapper-backend.ts', // each of whose connections is checked
    ],
  },
  index: {
    what: "what `import 'amsdal-mail'` exports",
    may: [
      'connection',
      'http',
      'backend',
      'backends',
      'net/presets.ts',
      'options',
      'wrappers',
      'events',
      'model',
      'util',
    ],
  },
};
