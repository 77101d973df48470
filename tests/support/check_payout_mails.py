#!/usr/bin/python3
"""Reads payouts' mails as Python's email package does, and holds them against the day's transfers.

check_payout_mails.py FOLDER EXPECTED DATE: FOLDER has one DATE-USER.eml for each entry of EXPECTED
and nothing else. Prints each difference, and fails where there is one.
"""
import email
import email.policy
import html
import json
import pathlib
import re
import sys

WORDS = {
    "en": {"subject": "aTES: paid for ", "assign_fee": "was assigned to you", "point": ".",
           "completion_reward": "You completed task", "hello": "Hello"},
    "ru": {"subject": "aTES: выплата за ", "assign_fee": "Вам назначена задача", "point": ",",
           "completion_reward": "выполнили задачу", "hello": "Здравствуйте"},
}


def in_cents(amount, point):
    """Any writing of a sum: signs, spaces and separators aside from the decimal point."""
    sign = -1 if re.search("[-−]", amount) else 1
    whole, _, part = re.sub(r"[^0-9" + re.escape(point) + "]", "", amount).partition(point)
    return sign * (int(whole) * 100 + int(part))


def rows_of(document):
    cells = [re.findall("<td[^>]*>(.*?)</td>", row, re.S)
             for row in re.findall("<tr[^>]*>(.*?)</tr>", document, re.S)]
    return [[html.unescape(cell) for cell in row] for row in cells]


def check(message, wanted, date, differ):
    words = WORDS[wanted["language"]]
    point = words["point"]
    transfers = wanted["transfers"][:-1]
    paid = -wanted["transfers"][-1]["cents"]

    def expect(name, got, value):
        if got != value:
            differ(f"{name}: {got!r} is not {value!r}")

    expect("To", [a.addr_spec for a in message["To"].addresses], [wanted["to"]])
    expect("To's name", message["To"].addresses[0].display_name, wanted["login"])
    expect("From", message["From"].addresses[0].addr_spec, "ates@localhost")
    expect("Auto-Submitted", message["Auto-Submitted"], "auto-generated")
    expect("Subject", message["Subject"], wanted["subject"])
    expect("Subject's beginning", message["Subject"][:len(words["subject"])], words["subject"])
    expect("Subject's sum", in_cents(message["Subject"].rpartition(": ")[2], point), paid)
    if not re.fullmatch(rf"<payout\.{date}\.{wanted['user']}\.[0-9a-f-]{{36}}@localhost>",
                        message["Message-ID"]):
        differ("Message-ID: " + message["Message-ID"])
    parts = list(message.iter_parts())
    expect("parts", [p.get_content_type() for p in parts], ["text/plain", "text/html"])
    text, document = (p.get_content().replace("\r\n", "\n") for p in parts)
    expect("what show_mail shows", text, wanted["text"].replace("\r\n", "\n"))
    expect("greeting", text.startswith(f"{words['hello']}, {wanted['login']}!"), True)
    rows = rows_of(document)
    listed = rows[:len(transfers)]
    sums = rows[len(transfers):]
    for row, transfer in zip(listed, transfers, strict=True):
        expect("row's sum", in_cents(row[1], point), transfer["cents"])
        for part in (words[transfer["kind"]], str(transfer["task_id"]), transfer["name"]):
            if part not in row[2]:
                differ(f"{part!r} is not in {row[2]!r}")
    expect("sums", [in_cents(row[1], point) for row in sums],
           [sum(t["cents"] for t in transfers), paid - sum(t["cents"] for t in transfers), paid])
    # The plain part has the same rows.
    plain = [line for line in text.split("\n") if line.startswith("  ")]
    expect("plain rows", [re.sub(r"\s+", " ", line).strip() for line in plain],
           [re.sub(r"\s+", " ", " ".join(row)).strip() for row in rows])


def main(folder, expected, date):
    mails = json.loads(pathlib.Path(expected).read_text(encoding="utf-8"))
    differences = []
    names = {f"{date}-{mail['user']}.eml" for mail in mails}
    there = {file.name for file in pathlib.Path(folder).iterdir()}
    if names != there or not mails:
        differences.append(f"files: {sorted(there)} are not {sorted(names)}")
    for mail in mails:
        name = f"{date}-{mail['user']}.eml"
        raw = pathlib.Path(folder, name).read_bytes()
        message = email.message_from_bytes(raw, policy=email.policy.default)
        check(message, mail, date, lambda words: differences.append(f"{name}: {words}"))
    print("\n".join(differences[:10]))
    return 1 if differences else 0


sys.exit(main(*sys.argv[1:]))
