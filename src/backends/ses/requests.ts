import type { Base64 } from '../../http/json.ts';
import { withExtra } from '../../http/payload.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';
import type { EmailTag } from './email-tags.ts';
import type { ResolvedSesOptions } from './options.ts';
import { headerForm } from './recipients.ts';

// Requests of the SES API v2, their parameters under the names of the API, as far as they are used here; bytes go out in base64.

/** The requests that are made, by the names of the API. */
export type Operation = 'SendEmail' | 'SendBulkEmail' | 'GetAccount';

const COMMON = [
  ...['FromEmailAddress', 'FromEmailAddressIdentityArn', 'ReplyToAddresses', 'FeedbackForwardingEmailAddress'],
  ...['FeedbackForwardingEmailAddressIdentityArn', 'ConfigurationSetName', 'EndpointId', 'TenantName'],
  'ConfigurationOverrides',
];

/** What the fields of the message say, and `espExtra` may not. */
const OWN_FIELDS = new Set(['fromemailaddress', 'destination', 'content', 'defaultcontent', 'bulkemailentries']);

/** All parameters of the requests that send; SES drops others without a word. */
export const PARAMETERS: Readonly<Record<Exclude<Operation, 'GetAccount'>, ReadonlySet<string>>> = {
  SendEmail: new Set([...COMMON, 'Destination', 'Content', 'EmailTags', 'ListManagementOptions']),
  SendBulkEmail: new Set([...COMMON, 'DefaultEmailTags', 'DefaultContent', 'BulkEmailEntries']),
};

export interface Destination {
  readonly ToAddresses?: readonly string[];
  readonly CcAddresses?: readonly string[];
  readonly BccAddresses?: readonly string[];
}

export interface TemplateAttachment {
  readonly FileName: string;
  readonly RawContent: Base64;
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
interface CommonRequest {
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
  readonly Content: { readonly Raw: { readonly Data: Base64 } } | { readonly Template: Template };
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

/** A raw message, or a template. */
export type Content = SendEmailRequest['Content'];

/** What of a request does not depend on its recipients. */
export interface RequestParts {
  readonly message: EmailMessage;
  readonly options: ResolvedSesOptions;
  readonly tags: readonly EmailTag[];
  /** False when the installed SDK cannot carry it. */
  readonly canTrack: boolean;
}

/** One message to all of its destination; a raw one has its Reply-To among its headers. */
export function emailRequest(parts: RequestParts, destination: Destination, content: Content): object {
  const { listManagement, extra } = parts.options;
  const request: SendEmailRequest = {
    Destination: destination,
    Content: content,
    ...common(parts),
    ...('Template' in content && replyTo(parts.message)),
    ...(parts.tags.length > 0 && { EmailTags: parts.tags }),
    ...(listManagement && {
      ListManagementOptions: {
        ContactListName: listManagement.contactList,
        ...(listManagement.topic !== undefined && { TopicName: listManagement.topic }),
      },
    }),
  };
  return withExtra('ses', extra === undefined ? request : { ...request, ...extra }, parts.message, OWN_FIELDS);
}

/** Messages that SES makes from a template, one for each entry. */
export function bulkRequest(parts: RequestParts, template: Template, entries: readonly BulkEntry[]): object {
  const request: SendBulkEmailRequest = {
    ...common(parts),
    ...replyTo(parts.message),
    DefaultContent: { Template: template },
    BulkEmailEntries: entries,
    ...(parts.tags.length > 0 && { DefaultEmailTags: parts.tags }),
  };
  return withExtra('ses', { ...request, ...parts.options.extra }, parts.message, OWN_FIELDS);
}

function common({ message, options, canTrack }: RequestParts): CommonRequest {
  const { from, envelopeSender } = message.parsed;
  const { configurationSet, identityArn, feedbackIdentityArn, tenant, endpointId } = options;
  const isTracked = canTrack && (message.trackOpens || message.trackClicks);
  return {
    FromEmailAddress: headerForm(from),
    ...(identityArn !== undefined && { FromEmailAddressIdentityArn: identityArn }),
    ...(envelopeSender !== null && { FeedbackForwardingEmailAddress: envelopeSender.asciiAddress }),
    ...(feedbackIdentityArn !== undefined && { FeedbackForwardingEmailAddressIdentityArn: feedbackIdentityArn }),
    ...(configurationSet !== undefined && { ConfigurationSetName: configurationSet }),
    ...(endpointId !== undefined && { EndpointId: endpointId }),
    ...(tenant !== undefined && { TenantName: tenant }),
    ...(isTracked && { ConfigurationOverrides: { Tracking: tracking(message) } }),
  };
}

function tracking({ trackOpens, trackClicks }: EmailMessage) {
  return {
    ...(trackOpens && { OpenTrackingEnabled: 'ENABLED' as const }),
    ...(trackClicks && { ClickTrackingEnabled: 'ENABLED' as const }),
  };
}

function replyTo({ parsed }: EmailMessage): Pick<CommonRequest, 'ReplyToAddresses'> {
  const mailboxes = mailboxesOf(parsed.replyTo);
  return mailboxes.length > 0 ? { ReplyToAddresses: mailboxes.map(headerForm) } : {};
}
