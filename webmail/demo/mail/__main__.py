"""`python -m webmail.demo.mail --out DIR`: the demo's mail as .eml files, for people to look at."""

from __future__ import annotations

import argparse
import re
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path

from webmail.demo.mail.all import all_messages
from webmail.demo.mail.letters import DemoMail


def main() -> None:
    """Write every message to DIR/<user>/<mailbox>/<date> <subject>.eml."""
    parser = argparse.ArgumentParser(prog="python -m webmail.demo.mail", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the files go")
    directory: Path = parser.parse_args().out
    count = 0
    for mail in sorted(all_messages(datetime.now().astimezone()), key=lambda mail: mail.date):
        place = directory / mail.user / mail.mailbox.replace("/", ".")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{mail.date:%Y-%m-%d %H%M} {_subject(mail)}.eml").write_bytes(mail.raw)
        count += 1
    print(f"{count} messages in {directory}")


def _subject(mail: DemoMail) -> str:
    subject = str(message_from_bytes(mail.raw, policy=policy.compat32)["Subject"] or "no subject")
    return re.sub(r"[^\w .,-]+", "_", subject)[:60].strip()


if __name__ == "__main__":
    main()
