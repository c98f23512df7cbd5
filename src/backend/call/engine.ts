/** What calls that do not block are made of; loaded with the first one. */
export { deliverEach } from '../deliver-each.ts';
export { Call } from './call.ts';
export { traceStream } from './trace-stream.ts';
