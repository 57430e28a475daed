"""What machines ask: health, and reports of a browser that refused to run something."""

from __future__ import annotations

import json
import logging

import pytest
from django.db import OperationalError

from webmail.accounts.views import machine

REPORT = {
    "csp-report": {
        "document-uri": "https://mail.test/message/7/?token=secret#secret",
        "blocked-uri": "https://user:secret@evil.test/x.js?secret",
        "effective-directive": "script-src",
        "script-sample": "secret",
        "original-policy": "…",
    }
}


@pytest.fixture(autouse=True)
def _fresh_minute(monkeypatch):
    monkeypatch.setattr(machine, "_reports", 0)


def report(client, body):
    return client.post("/csp-report", body, content_type="application/csp-report")


def test_well(client, db):
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_unwell(client, db, monkeypatch):
    class Gone:
        def cursor(self):
            raise OperationalError("connection refused at 10.0.0.7")

    monkeypatch.setattr(machine, "connection", Gone())
    response = client.get("/healthz")
    assert response.status_code == 503
    assert b"10.0.0.7" not in response.content


def test_a_report_is_logged_without_secrets(client, db, caplog):
    with caplog.at_level(logging.WARNING):
        assert report(client, json.dumps(REPORT)).status_code == 204
    assert "script-src" in caplog.text
    assert "https://evil.test/x.js" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '{"csp-report": 7}', '{"csp-report": null}', "[" * 8000, "\x00", '"csp-report"']
)
def test_a_bad_report_is_refused(client, db, body):
    assert report(client, body).status_code in {204, 400}


def test_a_long_report_is_refused(client, db):
    assert report(client, "x" * (machine.MAX_REPORT + 1)).status_code == 413


def test_line_breaks_forge_no_line(client, db, caplog):
    forged = {"csp-report": {"blocked-uri": "x\nERROR root forged", "effective-directive": "a\r\nb"}}
    report(client, json.dumps(forged))
    assert all("\n" not in record.getMessage() for record in caplog.records)


def test_a_flood_is_not_logged(client, db, caplog):
    for _ in range(machine.MAX_REPORTS + 20):
        report(client, json.dumps(REPORT))
    assert sum("CSP report" in record.getMessage() for record in caplog.records) == machine.MAX_REPORTS
