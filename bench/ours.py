"""This product's adapter for the shared benchmark rig: the exchanges our own pages make for each act.

    OURS_ADAPTER=bench/ours.py drive.py --target ours --base http://127.0.0.1:8200 --user u1k --ops list_p1,open_plain,…

`python -m bench.serve` starts the product for it. Run the rig with this project's Python: our addresses carry the row's
key, so a message that this run did not list is looked up in the database (not timed, like the driver's own looks).

What is timed: the fragment that htmx fetches when a mailbox, a page or a message is opened, the frame with an HTML
body included; the POST of a flag, a move or a deletion, which the page shows at once and a worker carries out
(`settle_ms`). After a move or a deletion the page fetches the list again, to fill its last row: that is done too, and
timed only with OURS_REFILL=1. The page at sign-in is the whole one. Unread counts come with the whole page, so
`folder_counts` fetches that. `poll` is the "check for new mail" button: it asks the server and answers with the list.
Searching comes with a later issue: leave its operations out (--ops).
"""

from __future__ import annotations

import html
import os
import re
import uuid
from pathlib import Path
from typing import Any

import psycopg
from drive import Page, Target, Wrong  # type: ignore[import-not-found]  # the rig's driver, there when it loads us

ROW = re.compile(
    r'<li class="row( unread)?"><a href="/message/(\d+)/.*?<b>(.*?)</b>.*?<span class="marks">(.*?)</span>',
    re.DOTALL,
)
MAILBOX = re.compile(r'<a class="mailbox" href="/mailbox/(\d+)/".*?title="([^"]*)".*?<span class="count">(.*?)</span>')
TOTAL = re.compile(r'<h1 id="list-title"[^>]*>.*?</h1><p>([\d,]+)')
OLDER = re.compile(r'href="(/mailbox/\d+/\?[^"]*)" data-pane="list" rel="next"')
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
FRAME = re.compile(r'<iframe class="message-frame" src="([^"]+)"')
FRAGMENT = {"HX-Request": "true"}
MESSAGE_KEY = """
    SELECT message.id FROM webmail_message message
    JOIN webmail_mailbox mailbox ON mailbox.id = message.mailbox_id
    WHERE mailbox.id = %s AND message.uid = %s
"""


class Ours(Target):  # type: ignore[misc]  # untyped, as the rig is
    """One browser in front of our pages."""

    name = "ours"

    def prepare(self) -> None:
        self.token = self._token(self.http.get("/sign-in/").text)

    def sign_in(self, user: str, password: str) -> Page:
        self.address = f"{user}@bench.example"
        path = self._post("/sign-in/", username=self.address, password=password)
        for _ in range(3):
            answer = self.http.get(path)
            if answer.status != 302:
                break
            path = answer.headers["location"]
        if answer.status != 200 or "/mailbox/" not in path:
            raise Wrong(f"sign-in ended at {path}: {answer.status} {answer.text[:200]}")
        self.token = self._token(answer.text)
        self.mailboxes = {html.unescape(name): int(key) for key, name, _ in MAILBOX.findall(answer.text)}
        self.older: dict[str, str] = {}
        return self._page("INBOX", answer.text, first=True)

    def folder_counts(self) -> dict[str, int]:
        page = self._get(f"/mailbox/{self.mailboxes['INBOX']}/", whole=True)
        return {html.unescape(name): _number(count) for _, name, count in MAILBOX.findall(page)}

    def list(self, folder: str, page: int = 1) -> Page:
        address = f"/mailbox/{self.mailboxes[folder]}/"
        if page == 2 and folder in self.older:
            address = self.older[folder]
        elif page > 1:
            address += f"?page={page}"
        return self._page(folder, self._get(address), first=page == 1)

    def open(self, folder: str, uid: int) -> str:
        # The rig has just made the message unread with another client; a page shows that when it next looks.
        self._check_untimed(folder)
        message = self._get(f"/message/{self._key(folder, uid)}/")
        frame = FRAME.search(message)
        return message + self._get(frame[1], whole=True, Sec_Fetch_Dest="iframe") if frame else message

    def download(self, folder: str, uid: int, part: str, filename: str) -> bytes:
        del filename
        answer = self.http.get(f"/message/{self._key(folder, uid)}/part/{part}/")
        if answer.status != 200:
            raise Wrong(f"part: status {answer.status}")
        body: bytes = answer.body
        return body

    def flag(self, folder: str, uid: int, what: str, on: bool) -> None:
        path = f"/message/{self._key(folder, uid)}/flag/"
        answer = self._form(path, flag=what, on="1" if on else "0", idem_key=uuid.uuid4().hex)
        if answer.status != 202:
            raise Wrong(f"flag: status {answer.status} {answer.text[:200]}")

    def move(self, folder: str, uid: int, dest: str) -> None:
        self._act(folder, uid, act="move", target=str(self.mailboxes[dest]))

    def delete(self, folder: str, uid: int) -> None:
        self._act(folder, uid, act="delete")

    def poll(self, folder: str) -> Page | None:
        before = self.shown
        answer = self._form(f"/mailbox/{self.mailboxes[folder]}/check/")
        if answer.status != 200:
            raise Wrong(f"check: status {answer.status}")
        page = self._page(folder, answer.text, first=True)
        return page if self.shown != before else None

    def _act(self, folder: str, uid: int, **fields: str) -> None:
        mailbox = f"/mailbox/{self.mailboxes[folder]}/"
        answer = self._form(f"{mailbox}act/", m=str(self._key(folder, uid)), idem_key=str(uuid.uuid4()), **fields)
        if answer.status != 202 or not answer.json()["jobs"]:
            raise Wrong(f"{fields}: status {answer.status} {answer.text[:200]}")
        spent = self.http.spent
        self._get(mailbox)
        if not os.environ.get("OURS_REFILL"):
            self.http.spent = spent

    def _get(self, path: str, *, whole: bool = False, **headers: str) -> str:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.http.get(path, headers=given if whole else FRAGMENT | given)
        if answer.status != 200:
            raise Wrong(f"{path}: status {answer.status} {answer.text[:200]}")
        text: str = answer.text
        return text

    def _form(self, path: str, **fields: str) -> Any:
        form = {"csrfmiddlewaretoken": self.token, **fields}
        return self.http.post(path, form=form, headers=FRAGMENT | {"Origin": self.http.origin})

    def _post(self, path: str, **fields: str) -> str:
        """Submit a form as a page load and return where it leads."""
        form = {"csrfmiddlewaretoken": self.token, **fields}
        answer = self.http.post(path, form=form, headers={"Origin": self.http.origin})
        if answer.status != 302:
            raise Wrong(f"{path}: status {answer.status} {answer.text[:300]}")
        location: str = answer.headers["location"]
        return location

    def _token(self, text: str) -> str:
        found = TOKEN.search(text)
        if not found:
            raise Wrong(f"no form token in the page: {text[:200]}")
        return found[1]

    def _page(self, folder: str, text: str, *, first: bool) -> Page:
        found = ROW.findall(text)
        total = TOTAL.search(text)
        if total is None:
            raise Wrong(f"no list in the page: {text[:300]}")
        if first:
            self.shown = [key for _, key, _, _ in found]
            older = OLDER.search(text)
            if older:
                self.older[folder] = html.unescape(older[1])
        rows = [
            (int(key), html.unescape(subject), not unread, "star" in marks) for unread, key, subject, marks in found
        ]
        return Page(rows, _number(total[1]))

    def _key(self, folder: str, uid: int) -> int:
        """The key of a message's row. What arrived since the last look is asked for first (not timed)."""
        found = self._look_up(folder, uid)
        if found is None:
            self._check_untimed(folder)
            found = self._look_up(folder, uid)
        if found is None:
            raise Wrong(f"uid {uid} is not in the index")
        return found

    def _check_untimed(self, folder: str) -> None:
        """Have the index learn what other clients did; what the person waits for is timed apart (`poll`)."""
        spent = self.http.spent
        self._form(f"/mailbox/{self.mailboxes[folder]}/check/")
        self.http.spent = spent

    def _look_up(self, folder: str, uid: int) -> int | None:
        with psycopg.connect(_database(self.http.port)) as database:
            row = database.execute(MESSAGE_KEY, (self.mailboxes[folder], uid)).fetchone()
        return int(row[0]) if row else None


def _database(port: int) -> str:
    """Where `bench.serve` on this port keeps its rows."""
    return (Path(os.environ.get("BENCH_DIR", "/tmp/bench")) / f"ours-{port}" / "database").read_text()


def _number(text: str) -> int:
    """ "1,204" and "1.2k" as numbers, "" as 0."""
    text = text.replace(",", "")
    return int(float(text[:-1]) * 1000) if text.endswith("k") else int(text or 0)
