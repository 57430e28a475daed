"""The names and addresses of servers, as an administrator types them and as they are connected to."""

from __future__ import annotations

import ipaddress
import re

from django.core.exceptions import ValidationError

from webmail.protocol.errors import ProtocolError
from webmail.protocol.guard import resolve

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def clean_host(host: str, port: int, *, allow_private: bool) -> str:
    """`host` as it is connected to: a DNS name in ASCII, or an address that the outgoing guard lets through.

    A name is judged by what it resolves to, at each connection; here only its form is.

    Raises:
        ValidationError: it is neither.
    """
    text = host.strip()
    try:
        address = str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        name = _ascii(text)
        if "://" in text or "/" in text:
            raise ValidationError("Only the name of the host, without “https://” and without a path.") from None
        if not _is_name(name) or name.rpartition(".")[2].isdigit():
            raise ValidationError("“%(host)s” is not the name of a host.", params={"host": text}) from None
        if "." not in name and not allow_private:
            raise ValidationError(
                "“%(host)s” is a name of the local network: write it in full, or tick “Private addresses allowed”.",
                params={"host": text},
            ) from None
        return name
    try:
        resolve(address, port, allow_private=allow_private, timeout=1.0)
    except ProtocolError:
        raise ValidationError(
            "%(address)s is not an address of the internet. Tick “Private addresses allowed” if the server is in your"
            " own network; link-local, multicast and metadata addresses are never used.",
            params={"address": address},
        ) from None
    return address


def _ascii(text: str) -> str:
    try:
        return text.strip().rstrip(".").lower().encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _is_name(name: str) -> bool:
    return 0 < len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split("."))
