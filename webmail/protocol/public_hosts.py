"""Hosts at which anybody may have an address, so that the domain says nothing about who writes."""

from __future__ import annotations

from . import domains

_PUBLIC = """
aol.com fastmail.com fastmail.fm free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com
hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.fr hushmail.com icloud.com interia.pl laposte.net libero.it
live.com live.de mac.com mail.com mail.de mail.ru mailbox.org mailfence.com me.com msn.com naver.com o2.pl onet.pl
orange.fr outlook.com outlook.de outlook.fr pm.me posteo.de posteo.net proton.me protonmail.com qq.com rambler.ru
riseup.net rocketmail.com runbox.com seznam.cz sina.com t-online.de tuta.com tutanota.com ukr.net wanadoo.fr web.de
wp.pl yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.com yandex.ru ymail.com zoho.com 126.com 163.com
"""
PUBLIC_HOSTS = frozenset(_PUBLIC.split())


def one_owner(domain: str) -> str:
    """The registered domain that `domain` belongs to, if it has one owner whose mail it is.

    "" for a public host, for a suffix under which others register ("co.uk", "github.io"), and for what is no domain.
    """
    name = domains.registrable(domain)
    if "." not in name or name in PUBLIC_HOSTS or domains.ip_address(name):
        return ""
    is_suffix = domains.registrable(f"a.{name}") != name
    return "" if is_suffix else name
