/** Where mail is received. */
export interface SmtpAddress {
  readonly host: string;
  readonly port: number;
  /** Whether STARTTLS is offered. */
  readonly startTls: boolean;
}
