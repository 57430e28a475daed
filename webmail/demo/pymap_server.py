"""pymap with implicit TLS and our users: the demo's mail server where no Dovecot is, and the tests' poorest server.

pymap's own command line knows STARTTLS only and no users for its Maildir backend, so this is our launcher over its
classes. `python -m webmail.demo.pymap_server DIRECTORY PORT TLS_PORT` serves until SIGTERM.
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

from webmail.demo.certificates import ensure_certificates

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class PymapPlan:
    """How to start one pymap: `command` lacks only its two ports; `ca` is the PEM file of its authority."""

    command: tuple[str, ...]
    ca: Path


def plan_pymap(directory: Path, users: Mapping[str, str]) -> PymapPlan:
    """Write down the users and certificates under `directory` and say how to start pymap.

    Args:
        directory: existing directory for this server alone; mail stays in it from one run to the next.
        users: address → password.
    """
    directory = directory.resolve()
    listed = directory / "users.json"
    listed.touch(mode=0o600)
    listed.write_text(json.dumps(dict(users)))
    command = (sys.executable, "-m", "webmail.demo.pymap_server", str(directory))
    return PymapPlan(command, ensure_certificates(directory).ca)


def main(argv: list[str] | None = None) -> None:
    """Serve one directory's mail until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("tls_port", type=int)
    arguments = parser.parse_args(argv)
    asyncio.run(_serve(arguments.directory, arguments.port, arguments.tls_port))


async def _serve(directory: Path, port: int, tls_port: int) -> None:
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
    login = Login(config)
    for name, password in json.loads((directory / "users.json").read_text()).items():
        login.users_dict[name] = UserMetadata(config, name, password=config.hash_context.hash(password))

    certificates = ensure_certificates(directory)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificates.certificate, certificates.key)
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
