/** Where mail is received. */
export interface SmtpAddress {
  /** The server's name or address. */
  readonly host: string;
  /** The server's port. */
  readonly port: number;
  /** Whether STARTTLS is offered. */
  readonly startTls: boolean;
}
