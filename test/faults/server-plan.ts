import type { ReplyStyle } from './reply-writer.ts';

/** What a reply answers; `final` is the end of a content, by DATA or by BDAT LAST, and `after` the moment behind its reply. */
export type Step = 'connect' | 'EHLO' | 'MAIL' | 'RCPT' | 'DATA' | 'RSET' | 'final' | 'after';

/** How a connection ends: FIN behind the last reply, or RST. */
export type End = 'fin' | 'rst';

/** What a server does that says 421. */
export type After421 =
  | 'close'
  | 'reset'
  | 'close later'
  /** It stays, and reads nothing any more. */
  | 'keep still'
  /** It stays, takes what follows, and answers it. */
  | 'answer on'
  /** It answers a little of what follows, takes the rest without a reply, and closes. */
  | 'answer some'
  /** It stays and takes what follows without a reply. */
  | 'take on'
  /** It takes what is there without a reply, and closes. */
  | 'take and close';

/** What happens instead of carrying a command out and answering it. */
export type Fault =
  | { readonly kind: 'refuse'; readonly reply: string }
  | { readonly kind: 'leave'; readonly end: End; readonly isAfter: boolean }
  | { readonly kind: 'stall'; readonly takes: boolean; readonly reads: boolean }
  | { readonly kind: '421'; readonly afterwards: After421 }
  /** Replies to what cannot have been sent yet, in one packet with the reply that is due. */
  | { readonly kind: 'early'; readonly replies: string; readonly goesOn: boolean }
  /** One reply more, or less, than there are commands. */
  | { readonly kind: 'extra' | 'missing' };

/** A fault, and how often it happens. */
export interface PlannedFault {
  readonly at: readonly Step[];
  readonly fault: Fault;
  /** The share of the commands. */
  readonly chance: number;
  /** The most times over all connections of the server. */
  readonly times: number;
}

/** Everything that decides what a server does. */
export interface ServerPlan {
  readonly isLmtp: boolean;
  readonly extensions: readonly ('PIPELINING' | 'CHUNKING')[];
  /** Whether an LMTP server has decided about all recipients before its first reply to the content. */
  readonly deliversBeforeReplies: boolean;
  /** The reply to EHLO of a server that knows HELO alone. */
  readonly ehlo: string | null;
  /** The reply to RSET of a server that does not know it, and the share of them that gets it. */
  readonly rset: { readonly reply: string; readonly share: number } | null;
  /** The reply to BDAT of a server that offers it and does not know it. */
  readonly bdat: string | null;
  /** Whether a refused BDAT's octets are read as its chunk (RFC 3030), or as commands. */
  readonly swallowsRefusedChunks: boolean;
  /** Whether the transaction of a refused BDAT lives until RSET. */
  readonly keepsRefusedBdat: boolean;
  /** Whether DATA without a recipient is answered 354, as RFC 2920 allows. */
  readonly asksForContentAlways: boolean;
  readonly maxRecipients: number;
  /** Leaves each connection behind the reply to so many mails. */
  readonly leavesAfter: {
    readonly mails: number;
    readonly how: End | '421 at once' | '421 at the next';
    readonly afterwards: After421;
  } | null;
  /** Says 421 to the command behind so many refusals of a connection, and closes. */
  readonly errorsTolerated: number;
  /** Has no fault until it has taken so many mails: by then, a client dares more. */
  readonly calmFor: number;
  readonly replies: ReplyStyle;
  readonly faults: readonly PlannedFault[];
}

/** A server without faults. */
export const HONEST: ServerPlan = {
  isLmtp: false,
  extensions: ['PIPELINING', 'CHUNKING'],
  deliversBeforeReplies: false,
  ehlo: null,
  rset: null,
  bdat: null,
  swallowsRefusedChunks: true,
  keepsRefusedBdat: false,
  asksForContentAlways: false,
  maxRecipients: Infinity,
  leavesAfter: null,
  errorsTolerated: Infinity,
  calmFor: 0,
  replies: 'joined',
  faults: [],
};
