/** The parameters of the SES API v2 that this library uses, under the names of the API. */

/** A message tag, for events and statistics. */
export interface EmailTag {
  readonly Name: string;
  readonly Value: string;
}

export interface Destination {
  readonly ToAddresses?: readonly string[];
  readonly CcAddresses?: readonly string[];
  readonly BccAddresses?: readonly string[];
}

export interface TemplateAttachment {
  readonly FileName: string;
  readonly RawContent: Uint8Array;
  readonly ContentType: string;
  readonly ContentDisposition: 'ATTACHMENT' | 'INLINE';
  readonly ContentTransferEncoding: 'BASE64';
  readonly ContentId?: string;
}

export interface Header {
  readonly Name: string;
  readonly Value: string;
}

export interface Template {
  readonly TemplateName?: string;
  readonly TemplateArn?: string;
  readonly TemplateContent?: { readonly Subject: string; readonly Text?: string; readonly Html?: string };
  /** JSON. */
  readonly TemplateData: string;
  readonly Headers?: readonly Header[];
  readonly Attachments?: readonly TemplateAttachment[];
}

/** What SendEmail and SendBulkEmail share. */
export interface CommonRequest {
  readonly FromEmailAddress: string;
  readonly FromEmailAddressIdentityArn?: string;
  readonly ReplyToAddresses?: readonly string[];
  readonly FeedbackForwardingEmailAddress?: string;
  readonly FeedbackForwardingEmailAddressIdentityArn?: string;
  readonly ConfigurationSetName?: string;
  readonly EndpointId?: string;
  readonly TenantName?: string;
  readonly ConfigurationOverrides?: { readonly Tracking: TrackingOverrides };
}

interface TrackingOverrides {
  readonly OpenTrackingEnabled?: 'ENABLED';
  readonly ClickTrackingEnabled?: 'ENABLED';
}

export interface SendEmailRequest extends CommonRequest {
  readonly Content: { readonly Raw: { readonly Data: Uint8Array } } | { readonly Template: Template };
  readonly Destination: Destination;
  readonly EmailTags?: readonly EmailTag[];
  readonly ListManagementOptions?: { readonly ContactListName: string; readonly TopicName?: string };
}

export interface BulkEntry {
  readonly Destination: Destination;
  readonly ReplacementEmailContent: {
    /** JSON, merged per key over TemplateData. */
    readonly ReplacementTemplate: { readonly ReplacementTemplateData: string };
  };
}

export interface SendBulkEmailRequest extends CommonRequest {
  readonly DefaultContent: { readonly Template: Template };
  readonly DefaultEmailTags?: readonly EmailTag[];
  readonly BulkEmailEntries: readonly BulkEntry[];
}

/** What SES says of one entry of a bulk request. */
export interface BulkEntryResult {
  readonly Status?: string;
  readonly MessageId?: string;
  readonly Error?: string;
}

/** The part of GetAccount's answer that matters for sending. */
export interface AccountFacts {
  readonly SendingEnabled?: boolean;
  /** False: the account is in the sandbox, only verified addresses receive mail. */
  readonly ProductionAccessEnabled?: boolean;
  readonly EnforcementStatus?: string;
  readonly SendQuota?: {
    readonly Max24HourSend?: number;
    readonly MaxSendRate?: number;
    readonly SentLast24Hours?: number;
  };
}
