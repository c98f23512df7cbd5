/** What an account may send, as SES said when it was last asked. */
export interface SesQuota {
  /** Recipients in any 24 hours; -1 for no limit. */
  readonly max24HourSend: number;
  /** Recipients a second. */
  readonly maxSendRate: number;
  /** Recipients in the 24 hours before the question. */
  readonly sentLast24Hours: number;
}
