export { composeMessage } from './compose.ts';
export { dkimSigner } from './dkim.ts';
export { withInlineImages } from './inline-images.ts';
