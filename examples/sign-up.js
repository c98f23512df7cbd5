// @ts-check
// A sign-up form behind Fastify that greets whoever signs up: npm run build && node examples/sign-up.js
// Then: curl localhost:3000/sign-up -H 'content-type: application/json' -d '{"name": "Ann", "email": "ann@example.org"}'
// Sends where the environment says, AMSDAL_EMAIL_URL='smtp://localhost:1025' for example; without it, mails are printed.
import { env, stdout } from 'node:process';
import { EmailError, MessageError, sendMail } from 'amsdal-mail';
import { fastifyMail } from 'amsdal-mail/fastify';
import Fastify from 'fastify';

const app = Fastify();
// Without a way to send mail the application does not start; SIGTERM lets the mails under way be sent.
// biome-ignore lint/nursery/noMisusedPromises: Fastify awaits what a plugin returns
await app.register(fastifyMail, { verify: true });
const { mail } = /** @type {import('amsdal-mail/fastify').FastifyMail} */ (/** @type {unknown} */ (app));

const body = {
  type: 'object',
  required: ['name', 'email'],
  properties: { name: { type: 'string', maxLength: 100 }, email: { type: 'string', maxLength: 254 } },
};

app.post('/sign-up', { schema: { body } }, async (request, reply) => {
  const { name, email } = /** @type {{ readonly name: string, readonly email: string }} */ (request.body);
  try {
    await sendMail({
      connection: mail,
      subject: 'Welcome!',
      message: `Hello ${name},\n\nthank you for signing up.`,
      fromEmail: 'Example Shop <hello@example.com>',
      recipientList: [{ name, address: email }],
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
    return reply.code(201).send({ welcome: email });
  } catch (error) {
    if (!(error instanceof EmailError)) throw error;
    // A name or address that is none, or that the server does not know; whatever else happened is ours, not the caller's.
    const isTheirs = error instanceof MessageError || error.code === 'invalid-recipient';
    app.log.error(error);
    return reply.code(isTheirs ? 400 : 503).send({ error: isTheirs ? 'check name and address' : 'try again later' });
  }
});

stdout.write(`${await app.listen({ host: '127.0.0.1', port: Number(env['PORT'] ?? 3000) })}\n`);
