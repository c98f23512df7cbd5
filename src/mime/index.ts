export { composeMessage } from './compose.ts';
export { type ComposeStreamOptions, composeStream, type MessageStream } from './compose-stream.ts';
export type { ComposeOptions } from './composition.ts';
export { createDkimSigner, type DkimSigner } from './dkim.ts';
export type { DkimOptions } from './dkim-keys.ts';
export { type LintFinding, type LintId, type LintSeverity, lint } from './lint.ts';
export { generateMessageId } from './message-id.ts';
