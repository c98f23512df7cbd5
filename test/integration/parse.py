"""Reads mails (a JSON list of base64 on stdin) with Python's own parser and prints what a reader would see, as JSON."""
import base64
import email
import json
import sys
from email import policy


def addresses(field):
    return [] if field is None else [{'name': a.display_name, 'address': a.addr_spec} for a in field.addresses]


def body(message, kind):
    part = message.get_body((kind,))
    return None if part is None else part.get_content().replace('\r\n', '\n')


def leaf(part):
    name = part.get_filename()
    return {
        'filename': name,
        'mimetype': part.get_content_type(),
        'contentId': part.get('content-id', '').strip('<>') or None,
        'content': base64.b64encode(part.get_payload(decode=True)).decode(),
    }


def view(source):
    message = email.message_from_bytes(source, policy=policy.default)
    bodies = [message.get_body((kind,)) for kind in ('plain', 'html')]
    parts = [part for part in message.walk() if not part.is_multipart() and part not in bodies]
    return {
        'subject': message['subject'],
        'from': addresses(message['from']),
        'to': addresses(message['to']),
        'cc': addresses(message['cc']),
        'replyTo': addresses(message['reply-to']),
        'messageId': (message['message-id'] or '').strip('<>'),
        'text': body(message, 'plain'),
        'html': body(message, 'html'),
        'attachments': [leaf(part) for part in parts],
        'headers': {name.lower(): str(value) for name, value in message.items()},
        'defects': [str(d) for part in message.walk() for d in part.defects],
    }


json.dump([view(base64.b64decode(source)) for source in json.load(sys.stdin)], sys.stdout)
