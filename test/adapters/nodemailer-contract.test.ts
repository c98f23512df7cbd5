import { createTransport } from 'nodemailer';
import { describe, it } from 'vitest';
import { NodemailerBackend } from '../../src/adapters/nodemailer.ts';
import { describeBackend } from '../../src/testing/contract/backend-contract.ts';
import { smtpSubject } from '../testing/contract/subjects.ts';

describeBackend(
  'nodemailer, a connection for each mail',
  () =>
    smtpSubject(({ host, port }) => {
      return new NodemailerBackend({ transport: createTransport({ host, port, ignoreTLS: true }) });
    }),
  { describe, it },
);
describeBackend(
  'nodemailer, pooled',
  () =>
    smtpSubject(({ host, port }) => {
      const transport = createTransport({ host, port, ignoreTLS: true, pool: true, idleTimeout: 1_000 });
      return new NodemailerBackend({ transport });
    }),
  { describe, it },
);
