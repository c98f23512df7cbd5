// What the smtp backend loads with its first connection: composer, pool and sessions.
export { Pool } from '../../smtp/pool.ts';
export { verify } from '../../smtp/verify.ts';
export { SmtpCall } from './call.ts';
