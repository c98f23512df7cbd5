import { type EmailMessage, mailboxesOf } from '../../message.ts';
import { headerForm } from './addresses.ts';
import type { ResolvedSesOptions } from './options.ts';
import type {
  BulkEntry,
  CommonRequest,
  Destination,
  EmailTag,
  SendBulkEmailRequest,
  SendEmailRequest,
  Template,
} from './requests.ts';

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
    ...common(parts),
    ...('Template' in content && replyTo(parts.message)),
    Content: content,
    Destination: destination,
    ...(parts.tags.length > 0 && { EmailTags: parts.tags }),
    ...(listManagement && {
      ListManagementOptions: {
        ContactListName: listManagement.contactList,
        ...(listManagement.topic !== undefined && { TopicName: listManagement.topic }),
      },
    }),
  };
  return { ...request, ...extra };
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
  return { ...request, ...parts.options.extra };
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
