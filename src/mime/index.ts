export { composeMessage } from './compose/compose.ts';
export { type ComposeStreamOptions, composeStream, type MessageStream } from './compose/compose-stream.ts';
export type { ComposeOptions } from './compose/composition.ts';
export { createDkimSigner, type DkimSigner } from './compose/dkim.ts';
export type { DkimOptions } from './compose/dkim-keys.ts';
export { generateMessageId } from './compose/message-id.ts';
export { type LintFinding, type LintId, type LintSeverity, lint } from './lint/lint.ts';
