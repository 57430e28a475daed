"""Authentication-Results: whose are believed, how they are read, and what they come to."""

from __future__ import annotations

import time

import pytest

from webmail.protocol.authentication import Authentication, authentication
from webmail.protocol.fields import fields

MX = "mx.demo.test"


def said(*results: str, sender: str = "Bob <bob@studio.example>", trusted: str = MX) -> Authentication | None:
    """What is found in a mail whose Authentication-Results are these, topmost first."""
    block = "".join(f"Authentication-Results: {result}\r\n" for result in results)
    header = f"{block}From: {sender}\r\nSubject: x\r\n\r\nbody".encode()
    return authentication(fields(header), trusted.split(","), sender.rpartition("@")[2].rstrip(">"))


def verdict(*results: str, **others: str) -> str:
    found = said(*results, **others)
    return found.verdict.value if found else ""


PASSES = [
    f"{MX}; dmarc=pass header.from=studio.example",
    f"{MX}; dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=studio.example",
    f"{MX}; dmarc=pass",
    f"{MX} 1; dkim=pass header.d=studio.example header.s=a header.b=q/+x==",
    f"{MX};dkim=pass header.i=@mail.studio.example",
    f"{MX}; dkim=fail header.d=list.example; dkim=pass header.d=studio.example",
    f"{MX}; spf=pass smtp.mailfrom=bounce@mail.studio.example",
    f"{MX}; spf=pass (sender is permitted; really) smtp.mailfrom=<bounce@studio.example>",
    f'"{MX}"; spf=pass reason="all; good" smtp.mailfrom="a@studio.example"',
    f"(made (by) us) {MX.upper()} ; SPF = PASS smtp.MailFrom = studio.example",
    f"{MX};\r\n\tspf=pass\r\n smtp.mailfrom=studio.example;\r\n\tdkim=none",
    f"{MX}; dkim/1=pass header.d=studio.example",
]
FAILS = [
    f"{MX}; dmarc=fail header.from=studio.example; spf=pass smtp.mailfrom=studio.example",
    f"{MX}; spf=fail smtp.mailfrom=studio.example",
    f"{MX}; dkim=fail header.d=studio.example; spf=softfail smtp.mailfrom=studio.example",
]
NEITHER = [
    f"{MX}; none",
    f"{MX}",
    f"{MX}; spf=pass smtp.mailfrom=evil.example; dkim=pass header.d=evil.example",
    f"{MX}; dmarc=pass header.from=evil.example",
    f"{MX}; dmarc=bestguesspass header.from=studio.example",
    f"{MX}; spf=softfail smtp.mailfrom=studio.example",
    f"{MX}; dkim=temperror header.d=studio.example; dmarc=none",
    f"{MX}; dkim=fail header.d=list.example",
    f"{MX}; x=pass (dmarc=pass)",
    f"{MX}; dmarc=(pass) (header.from=studio.example)",
    f"{MX}; spf=pass smtp.mailfrom=studio.example.evil.example",
    f"{MX}; =pass; dmarc==pass; ;;; = = =",
]
NOBODY = [
    "mx.evil.example; dmarc=pass header.from=studio.example",
    f"{MX}.evil.example; dmarc=pass",
    f"evil.example ({MX}); dmarc=pass",
    f"; dmarc=pass; {MX}",
    "",
    ";;;;",
]


@pytest.mark.parametrize("result", PASSES)
def test_verified(result: str) -> None:
    assert verdict(result) == "verified"


@pytest.mark.parametrize("result", FAILS)
def test_failed(result: str) -> None:
    assert verdict(result) == "failed"


@pytest.mark.parametrize("result", NEITHER)
def test_not_verified(result: str) -> None:
    assert verdict(result) == "not verified"


@pytest.mark.parametrize("result", NOBODY)
def test_others_are_not_believed(result: str) -> None:
    assert said(result) is None


def test_nobody_is_trusted_by_guess() -> None:
    assert said(PASSES[0], trusted="") is None
    assert said(PASSES[0], trusted=" , ") is None


def test_of_each_server_the_topmost_alone_counts() -> None:
    assert verdict(f"{MX}; dmarc=fail header.from=studio.example", PASSES[0]) == "failed"
    assert verdict(f"{MX}; none", PASSES[0]) == "not verified"


def test_those_of_others_above_and_below_change_nothing() -> None:
    assert verdict("evil.example; dmarc=pass", FAILS[0], "evil.example; dmarc=pass") == "failed"


def test_several_servers_of_ours_add_up() -> None:
    found = said(
        "a.demo.test; spf=none", "b.demo.test; dkim=pass header.d=studio.example", trusted="a.demo.test,b.demo.test"
    )
    assert found is not None
    assert [(check.method, check.result, check.domain, check.aligned) for check in found.checks] == [
        ("spf", "none", "", False),
        ("dkim", "pass", "studio.example", True),
    ]
    assert found.verdict == "verified"


def test_two_senders_are_never_verified() -> None:
    header = f"Authentication-Results: {PASSES[0]}\r\nFrom: bob@studio.example\r\nFrom: x@evil.example\r\n\r\n"
    found = authentication(fields(header.encode()), [MX], "studio.example")
    assert found is not None
    assert found.verdict == "not verified"


@pytest.mark.parametrize(
    "value",
    [
        MX + "; " + "(" * 100_000,
        MX + "; " + '"' * 100_001,
        MX + "; " + "dkim=pass header.d=studio.example;" * 50_000,
        MX + "; " + "=" * 100_000,
        MX + "; " + "\\" * 100_000,
        MX + "; spf=pass smtp.mailfrom=" + "a." * 50_000,
        "\x00\x01; \x7f=\x80",
    ],
)  # fmt: skip
def test_hostile_values_take_no_time(value: str) -> None:
    start = time.perf_counter()
    found = said(*[value] * 60)
    assert time.perf_counter() - start < 1
    assert found is None or len(found.checks) <= 20
