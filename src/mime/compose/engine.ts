export { composeMessage } from './compose.ts';
export { dkimSigner } from './dkim.ts';
