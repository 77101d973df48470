#!/usr/bin/python3
"""Reads messages as Python's email package does, and holds them against what was written.

check_letter.py FOLDER: every NAME.eml in it against NAME.json. Prints each difference, and fails
where there is one.
"""
import datetime
import email
import email.header
import email.policy
import json
import pathlib
import sys


def lines(text):
    return text.replace("\r\n", "\n")


def name_of(raw, header):
    """The display name, by the older decoder: the newer one puts spaces between encoded words of a
    name (cpython gh-128110)."""
    value = str(email.message_from_bytes(raw)[header])
    phrase = value.rpartition("<")[0].strip()
    return str(email.header.make_header(email.header.decode_header(phrase))) if phrase else ""


def differences(message, raw, wanted):
    """Pairs of what is there and what should be, by name."""
    to, sender = message["To"].addresses, message["From"].addresses
    parts = list(message.iter_parts())
    date = datetime.datetime.fromtimestamp(wanted["date_ms"] // 1000, datetime.timezone.utc)
    facts = {
        "defects": (message.defects + [d for h in message.values() for d in h.defects] +
                    [d for p in parts for d in p.defects], []),
        "headers": (message.keys(), ["From", "To", "Date", "Subject", "Message-ID",
                                     "Auto-Submitted", "MIME-Version", "Content-Type"]),
        "to": ([a.addr_spec for a in to], [wanted["to"]]),
        "to_name": (name_of(raw, "To"), wanted["to_name"]),
        "from": ([a.addr_spec for a in sender], [wanted["from"]]),
        "from_name": (name_of(raw, "From"), wanted["from_name"]),
        "date": (message["Date"].datetime, date),
        "subject": (message["Subject"], wanted["subject"]),
        "message_id": (message["Message-ID"], "<" + wanted["message_id"] + ">"),
        "auto_submitted": (message["Auto-Submitted"], "auto-generated"),
        "type": (message.get_content_type(), "multipart/alternative"),
        "parts": ([(p.get_content_type(), p.get_content_charset()) for p in parts],
                  [("text/plain", "utf-8"), ("text/html", "utf-8")]),
        "text": (lines(parts[0].get_content()), lines(wanted["text"])),
        "html": (lines(parts[1].get_content()), lines(wanted["html"])),
        "line ends": (raw.count(b"\n"), raw.count(b"\r\n")),
        "carriage returns": (raw.count(b"\r"), raw.count(b"\r\n")),
        "long lines": ([line for line in raw.split(b"\r\n")
                        if len(line) > 76 and not line.startswith(b"Message-ID: ")], []),
        "ASCII": (raw.isascii(), True),
    }
    return [f"{name}: {got!r} is not {want!r}" for name, (got, want) in facts.items() if got != want]


def main(folder):
    files = sorted(pathlib.Path(folder).glob("*.eml"))
    bad = 0
    for file in files:
        raw = file.read_bytes()
        wanted = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        message = email.message_from_bytes(raw, policy=email.policy.default)
        for difference in differences(message, raw, wanted):
            bad += 1
            if bad <= 3:
                print(f"{file.name}: {difference}", file=sys.stderr)
    print(len(files), "messages read")
    return 1 if bad or not files else 0


sys.exit(main(sys.argv[1]))
