"""A real Postfix on loopback: its own configuration, queue and log, ended by its process. It reaches nobody else.

Its master insists on being root. Where we are not, a user namespace makes us look so to it, with all of the user's
subordinate ids (`/etc/subuid`) mapped, for it also becomes its own user.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from webmail.demo.certificates import ensure_certificates
from webmail.demo.layout import HOST, free_port
from webmail.protocol.types import Security, Server

LARGEST = 300_000  # octets of a message
START_SECONDS = 30.0
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")

_SETTINGS = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/postfix.log
maillog_file_prefixes = {home}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.demo.test
mydestination =
alias_maps =
alias_database =
mynetworks =
message_size_limit = {largest}
smtputf8_enable = yes
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = encrypt
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth_port}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = reject_unlisted_recipient, permit_sasl_authenticated, reject
virtual_mailbox_domains = demo.test
virtual_mailbox_maps = texthash:{home}/people
virtual_mailbox_base = {home}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
transport_maps = inline:{{ gone.test=smtp:[127.0.0.1]:1 }}
maximal_queue_lifetime = 0
bounce_queue_lifetime = 0
default_transport = error:5.4.4:this server reaches nobody
relay_transport = error:5.4.4:this server reaches nobody
"""
_SERVICES = """\
{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
virtual unix - n n - - virtual
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass
class Postfix:
    """A running Postfix.

    Attributes:
        server: as the product reaches it. log: what it wrote.
    """

    server: Server
    log: Path
    _home: Path
    _become_root: Sequence[str]
    _process: subprocess.Popen[bytes]

    def mail(self, address: str, count: int = 1, seconds: float = 20.0) -> list[bytes]:
        """What lies in somebody's mailbox, once it is `count` messages."""
        until = time.monotonic() + seconds
        while True:
            found = self._files(f"{address}/new/")
            if len(found) >= count or time.monotonic() > until:
                return found
            time.sleep(0.1)

    def _files(self, below: str) -> list[bytes]:
        """What is delivered there. It belongs to the user who delivers, so it is asked for as root."""
        packed = subprocess.run(
            [*self._become_root, "tar", "-C", str(self._home / "mail"), "-cf", "-", "."],
            capture_output=True,
            check=True,
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            wanted = sorted((each for each in tar if below in each.name and each.isfile()), key=lambda each: each.name)
            return [data.read() for each in wanted if (data := tar.extractfile(each))]

    def stop(self) -> None:
        """End it, and wait for it: its master, which leaves our group and takes all of its own along."""
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((self._home / "queue" / "pid" / "master.pid").read_text()), signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        theirs = [str(self._home / name) for name in ("queue", "data", "mail")]
        subprocess.run([*self._become_root, "rm", "-rf", *theirs], check=False)


def start_postfix(home: Path, people: Sequence[str], auth_port: int) -> Postfix:
    """Start it and wait until it greets.

    Args:
        home: an existing directory of its own that other users may pass through.
        people: who has a mailbox there. auth_port: where a Dovecot checks log-ins.

    Raises:
        RuntimeError: Postfix is missing or did not come up.
    """
    program = shutil.which("postfix", path=os.pathsep.join((os.environ.get("PATH", os.defpath), *_PLACES)))
    if program is None:
        raise RuntimeError("postfix is not installed; on Debian or Ubuntu: apt-get install postfix")
    port, status = free_port(), home.stat()
    certificates = ensure_certificates(home)
    for name in ("etc", "queue", "data", "mail"):
        (home / name).mkdir()
    (home / "people").write_text("".join(f"{address} {address}/\n" for address in people))
    values = {
        "home": home, "largest": LARGEST, "certificate": certificates.certificate, "key": certificates.key,
        "auth_port": auth_port, "uid": status.st_uid or 65534, "gid": status.st_gid or 65534,
    }  # fmt: skip
    (home / "etc" / "main.cf").write_text(_SETTINGS.format_map(values))
    (home / "etc" / "master.cf").write_text(_SERVICES.format(port=f"{HOST}:{port}"))
    become_root = [] if os.getuid() == 0 else ["unshare", "--user", "--map-root-user", "--map-auto"]
    _give(home, values["uid"], values["gid"], become_root)
    log = home / "postfix.log"
    with (home / "start.log").open("ab") as started:
        process = subprocess.Popen(
            [*become_root, program, "-c", str(home / "etc"), "start-fg"],
            stdin=subprocess.DEVNULL, stdout=started, stderr=started, start_new_session=True,
        )  # fmt: skip
    server = Server(HOST, port, Security.STARTTLS, certificates.ca.read_text(), True)
    found = Postfix(server, log, home, become_root, process)
    try:
        _await_greeting(found, port)
    except RuntimeError:
        found.stop()
        raise
    return found


def _give(home: Path, uid: object, gid: object, become_root: Sequence[str]) -> None:
    """Postfix's own directory belongs to Postfix's user, that of the mail to whom it is delivered as."""
    owner = subprocess.run(["postconf", "-dh", "mail_owner"], capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run([*become_root, "chown", owner, str(home / "data")], check=True)
    subprocess.run([*become_root, "chown", f"{uid}:{gid}", str(home / "mail")], check=True)


def _await_greeting(postfix: Postfix, port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and postfix._process.poll() is None:
        try:
            with socket.create_connection((HOST, port), 5) as client:
                if client.recv(100).startswith(b"220 "):
                    return
        except OSError:
            time.sleep(0.1)
    said = [path.read_text(errors="replace") for path in (postfix._home / "start.log", postfix.log) if path.exists()]
    raise RuntimeError("postfix did not greet:\n" + "\n".join("".join(said).splitlines()[-15:]))
