"""Reads mails with Python's own parser: a JSON list of base64 strings on stdin, a JSON list of what it found on stdout."""

import base64
import json
import re
import sys
from email import message_from_string, policy


def mailboxes(header):
    return [{"name": a.display_name, "address": a.addr_spec} for a in header.addresses] if header else []


def read(raw):
    # A Latin-1 mail would do for all but UTF-8 headers (RFC 6532); there is no other 8-bit octet.
    head, body = raw.decode("utf-8").split("\r\n\r\n", 1)
    # Python before 3.13.2 keeps the space between two encoded-words of a name (gh-128110, against RFC 2047, section 6.2).
    head = re.sub(r"\?=\r\n =\?UTF-8\?", "?==?UTF-8?", head)
    message = message_from_string(head + "\r\n\r\n" + body, policy=policy.default)
    found = {
        "subject": message["subject"],
        "from": mailboxes(message["from"]),
        "to": mailboxes(message["to"]),
        "cc": mailboxes(message["cc"]),
        "replyTo": mailboxes(message["reply-to"]),
        "text": None,
        "html": None,
        "alternatives": [],
        "attachments": [],
        "headers": {name.lower(): str(value) for name, value in message.items()},
        "types": [part.get_content_type() for part in message.walk()],
    }
    collect(message, found)
    return found


def collect(part, found):
    kind = part.get_content_type()
    is_body = part.get_content_disposition() is None
    if kind == "message/rfc822":
        keep = policy.default.clone(refold_source="none", linesep="\r\n")
        add(found, part, part.get_payload(0).as_bytes(policy=keep))
    elif part.is_multipart():
        for child in part.iter_parts():
            collect(child, found)
    elif is_body and kind == "text/plain":
        found["text"] = part.get_content()
    elif is_body and kind == "text/html":
        found["html"] = part.get_content()
    elif is_body and kind.startswith("text/"):
        found["alternatives"].append({"type": kind, "content": part.get_content()})
    else:
        add(found, part, part.get_payload(decode=True))


def add(found, part, content):
    found["attachments"].append(
        {
            "filename": part.get_filename(),
            "contentId": (part["content-id"] or "").strip("<>") or None,
            "content": base64.b64encode(content).decode(),
        }
    )


json.dump([read(base64.b64decode(raw)) for raw in json.load(sys.stdin)], sys.stdout)
