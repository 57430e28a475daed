"""pymap with implicit TLS and our users: the demo's mail server where no Dovecot is, and the tests' poorest server.

pymap's own command line knows STARTTLS only and no users for its Maildir backend, so this is our launcher over its
classes. `python -m webmail.demo.pymap_server DIRECTORY CERTIFICATE KEY PORT TLS_PORT` serves
until SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from proxyprotocol.reader import ProxyProtocolReader
from proxyprotocol.version import ProxyProtocolVersion
from pymap.backend.dict import Config, Login
from pymap.imap import IMAPServer
from pymap.user import UserMetadata
from pysasl.hashing import BuiltinHash

from webmail.demo.certificates import Certificates, ensure_certificates
from webmail.demo.layout import HOST
from webmail.demo.pymap_store import People, open_store


@dataclass(frozen=True, slots=True)
class PymapPlan:
    """How to start one pymap: `command` lacks only its two ports; `ca` is the PEM file of its authority."""

    command: tuple[str, ...]
    ca: Path


def plan_pymap(directory: Path, users: Mapping[str, str], certificates: Certificates | None = None) -> PymapPlan:
    """Write down the users and certificates under `directory` and say how to start pymap.

    Args:
        directory: existing directory for this server alone; mail stays in it from one run to the next.
        users: address → password.
        certificates: what it shows; its own if None.
    """
    directory = directory.resolve()
    certificates = certificates or ensure_certificates(directory)
    listed = directory / "users.json"
    listed.touch(mode=0o600)
    listed.write_text(json.dumps(dict(users)))
    files = (directory, certificates.certificate, certificates.key)
    return PymapPlan((sys.executable, "-m", "webmail.demo.pymap_server", *map(str, files)), certificates.ca)


def main(argv: list[str] | None = None) -> None:
    """Serve one directory's mail until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("certificate", type=Path)
    parser.add_argument("key", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("tls_port", type=int)
    arguments = parser.parse_args(argv)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(arguments.certificate, arguments.key)
    asyncio.run(_serve(arguments.directory, arguments.port, arguments.tls_port, tls))


async def _serve(directory: Path, port: int, tls_port: int, tls: ssl.SSLContext) -> None:
    config = Config(
        argparse.Namespace(passlib_cfg=None),
        host=HOST,
        port=port,
        demo_data=False,
        demo_user="",
        demo_password="",
        # TLS is the listener's business, so pymap offers log-in at once and no STARTTLS.
        tls_enabled=False,
        reject_dnsbl=False,
        invalid_user_sleep=0.0,
        # A demo password needs no slow hash.
        hash_context=BuiltinHash(rounds=1),
        proxy_protocol=ProxyProtocolVersion.get(None),
    )
    config.apply_context()
    config.set_cache = People(open_store(directory / "mail.sqlite3"))
    login = Login(config)
    for name, password in json.loads((directory / "users.json").read_text()).items():
        login.users_dict[name] = UserMetadata(config, name, password=config.hash_context.hash(password))

    connected = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(login, config))
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    plain = await asyncio.start_server(connected, HOST, port)
    implicit = await asyncio.start_server(connected, HOST, tls_port, ssl=tls)
    await stopped.wait()
    plain.close()
    implicit.close()


if __name__ == "__main__":
    main()
