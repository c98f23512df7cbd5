// @ts-check

/** @typedef {import('./room-table.js').Room} Room */

/**
 * The rooms: folders of src, and files beside them under the name of the one that is imported from elsewhere.
 *
 * `may` lists the rooms a room may import, `types` those it may import from with `import type` only. A room may always
 * import itself, unless it is `alone`: a backend never imports another one. An entry may be one file of a room.
 *
 * @type {Readonly<Record<string, Room>>}
 */
export const ROOMS = {
  errors: { what: 'every error class, its codes and the facts it carries', may: ['util/brand.ts'], types: ['model'] },
  util: { what: 'small helpers that know nothing of mail', may: [] },
  model: {
    what: 'messages, attachments, addresses, features and statuses',
    may: ['errors', 'util', 'mime/message-eml.ts'],
  },
  options: {
    what: 'option tables: how options are checked, and read from variables and URLs',
    may: ['errors', 'util'],
  },
  oauth: { what: 'access tokens from a token endpoint', may: ['errors', 'util'] },
  events: { what: '`BeforeSend`, `AfterSend` and the other events', may: ['errors', 'util'], types: ['model'] },
  mime: {
    what: 'messages to bytes and back, DKIM, lint',
    may: ['model', 'errors', 'util', 'util/optional-package.ts'],
    types: ['options'],
  },
  net: { what: 'the way to a server: addresses, proxies, TLS failures', may: ['errors', 'util'] },
  smtp: {
    what: 'bytes to a server: sessions, pipelining, pools',
    may: ['net', 'options', 'oauth', 'reply-status.ts', 'errors', 'util'],
  },
  'smtp-server': {
    what: 'the receiver of tests and demos; a hook decides every reply',
    may: ['errors', 'util', 'util/optional-package.ts'],
  },
  backend: {
    what: 'the base class of every backend, and what a call of one consists of',
    may: [
      ...['model', 'options', 'errors', 'events', 'util', 'staging-rules'],
      ...['mime/inline-images.ts', 'mime/message-id.ts'], // what every backend gets
    ],
    types: ['oauth'],
  },
  'staging-rules': {
    what: 'the staging guard, asked by every backend at every call',
    may: ['settings', 'errors', 'wrappers/redirect-filter.ts', 'wrappers/redirect-rules.ts'],
    types: ['backend'],
  },
  sync: {
    what: 'the bridge of blocking calls: plain data to a worker thread and back',
    may: ['model', 'options', 'errors', 'util'],
    types: ['backend'],
  },
  'sync-worker': {
    what: 'the other end of that bridge',
    may: ['connection', 'registry', 'sync', 'backend', 'model', 'errors', 'util'],
  },
  http: { what: 'what backends with an HTTP API share', may: ['backend', 'model', 'options', 'errors', 'util'] },
  backends: {
    what: 'one file a backend; none knows another, or the settings',
    may: [
      ...['backend', 'http', 'mime', 'presets', 'smtp', 'net', 'oauth', 'model', 'options', 'errors', 'util'],
      ...['mailbox/mailbox-options.ts', 'mailbox/deliver.ts'], // the mailbox's engine is a room of its own
    ],
    alone: true,
  },
  wrappers: { what: 'backends around other backends', may: ['backend', 'model', 'options', 'errors', 'util'] },
  presets: { what: 'hosts and ports of well-known services', may: [] },
  registry: {
    what: 'which backends there are, by name',
    may: ['backends', 'backend', 'model', 'options', 'errors', 'util'],
  },
  settings: { what: 'the environment, read here only', may: ['options', 'errors', 'util'] },
  connection: {
    what: 'names, variables and URLs become connections, by what each backend declares',
    may: [
      ...['settings', 'staging-rules', 'registry', 'presets', 'wrappers', 'backend', 'sync'],
      ...['model', 'options', 'errors', 'util'],
    ],
  },
  send: { what: '`sendMail`, `sendEach`, `sendMailSync`', may: ['connection', 'backend', 'model', 'errors', 'util'] },
  app: {
    what: 'plugins, `.env`, a connection that opens and closes with a server',
    may: ['connection', 'settings', 'backend', 'events', 'model', 'options', 'errors', 'util'],
  },
  mailbox: {
    what: 'the development mailbox: SMTP in, a page and a JSON API out',
    may: [
      ...['backend', 'backends/mailbox.ts', 'settings', 'options', 'mime', 'smtp-server'],
      ...['model', 'errors', 'util'],
    ],
  },
  testing: {
    what: 'what users test with: inboxes, matchers, a scripted server, the contract of backends',
    may: ['connection', 'backend', 'options', 'events', 'mime', 'smtp-server', 'model', 'errors', 'util'],
  },
  adapters: {
    what: 'Express, Fastify, Hono, Nest, OpenTelemetry and Nodemailer',
    may: ['app', 'connection', 'backend', 'options', 'mime', 'events', 'model', 'errors', 'util'],
    types: ['smtp'],
  },
  cli: {
    what: 'the command line',
    may: [
      ...['app', 'send', 'connection', 'settings', 'registry', 'backend', 'events'],
      ...['mailbox', 'mime', 'model', 'errors', 'util'],
      ...['options', 'smtp/options.ts', 'smtp-server'], // what a connection is, and a server to explain it without one
    ],
  },
  index: {
    what: "what `import 'amsdal-mail'` exports",
    may: [
      ...['send', 'connection', 'settings', 'presets', 'registry', 'backend', 'backends', 'options'],
      ...['wrappers', 'events', 'model', 'errors', 'util'],
    ],
  },
};

/** The rooms of several files, by path; any other file of src is a room by itself, or of the room of its folder. @type {Readonly<Record<string, readonly string[]>>} */
export const FILES = {
  errors: ['errors', 'error-class', 'error-facts', 'error-inspection', 'util/error-copies', 'util/network-code'],
  model: [
    'message',
    'message-init',
    'message-check',
    'message-ids',
    'message-json',
    'attachment',
    'address',
    'address-parser',
    'parsed-mailbox',
    'domain',
    'features',
    'status',
    'reply-status',
  ],
  options: [
    'options',
    'util/import-module',
    'util/load-export',
    'util/optional-package',
    'util/own-file',
    'util/refuse-in-workerd',
    'util/require-module',
    'util/tracer',
  ],
  oauth: ['util/oauth-answer', 'util/oauth-options', 'util/oauth-tokens'],
  events: ['events', 'mail-events', 'server-events'],
  backend: [
    'backend',
    'message-source',
    'read-input',
    'prepare',
    'settle',
    'call',
    'job-reader',
    'call-account',
    'call-options',
    'call-end',
    'send-call',
    'gate',
    'traffic',
    'delivery',
    'deliver-each',
    'local-backend',
    'delivery-filter',
    'conclusion',
    'tell-listeners',
    'trace-send',
    'sync-call',
    'blocking-delivery',
    'planned-outcomes',
    'util/result-queue',
  ],
  sync: ['sync', 'sync-codec'],
  settings: ['settings', 'variables'],
  registry: ['registry', 'built-in'],
  connection: [
    'connection',
    'connection-target',
    'connection-url',
    'url-parts',
    'named-connections',
    'known-variables',
    'staging-guard',
    'load-backend',
  ],
};

/** Imports between rooms that make a cycle, still to be undone; `from -> to`. */
export const CYCLIC = ['errors -> model', 'backend -> staging-rules', 'mailbox -> backends'];
