import { checkDkimKey } from './dkim-key.ts';
import { checkDmarc } from './dmarc.ts';
import { type Dns, DnsError } from './dns.ts';
import { type Area, type Finding, fault, ok, warning } from './finding.ts';
import { checkSpf } from './spf.ts';

/** Checks what receivers find when they look up a sender's domain. */
export async function checkDomain(domain: string, selectors: readonly string[], dns: Dns): Promise<readonly Finding[]> {
  const keys = selectors.map((selector) => orUnanswered('dkim', checkDkimKey(domain, selector, dns)));
  const findings = await Promise.all([
    orUnanswered('sender', checkMx(domain, dns)),
    orUnanswered('spf', checkSpf(domain, dns)),
    ...(keys.length > 0 ? keys : [[noSelector(domain)]]),
    orUnanswered('dmarc', checkDmarc(domain, dns)),
  ]);
  return findings.flat();
}

/** Checks whether bounces and replies can be delivered. */
async function checkMx(domain: string, dns: Dns): Promise<readonly Finding[]> {
  const hosts = await dns.mx(domain);
  if (hosts.includes('')) {
    const text = `${domain} takes no mail (null MX, RFC 7505): bounces and answers are lost, and some receivers refuse such senders`;
    return [warning('sender', text, 'send from a domain that takes mail')];
  }
  if (hosts.length > 0) return [ok('sender', `mail for ${domain} goes to ${hosts.join(', ')}`)];
  if ((await dns.addresses(domain)).length > 0) return [ok('sender', `${domain} has no MX; mail goes to its address`)];
  const text = `${domain} has neither MX nor address: bounces and answers are lost, and many receivers refuse such senders`;
  return [fault('sender', text, 'check the spelling of --from, or publish an MX record')];
}

function noSelector(domain: string): Finding {
  const text = `no selector was given, so that no DKIM key of ${domain} is checked`;
  return warning('dkim', text, 'give --dkim-selector; it is s= in the DKIM-Signature of a mail that was sent');
}

async function orUnanswered(area: Area, findings: Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await findings;
  } catch (error) {
    if (!(error instanceof DnsError)) throw error;
    return [
      fault(area, error.message, 'try again later, or ask another one with --resolver 1.1.1.1', {
        code: error.code,
        isTemporary: true,
      }),
    ];
  }
}
