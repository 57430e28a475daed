"""Answers that are files: streamed, and never a stump where a page with a sentence is possible."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header


def download(name: str, chunks: Iterator[bytes]) -> HttpResponseBase:
    """A streamed download. The first chunk is read before the answer begins: a failure is a page, not a stump."""
    first = next(chunks, b"")
    response = StreamingHttpResponse(_resumed(first, chunks), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response


def _resumed(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """All chunks; closing it early closes `chunks`, which gives its connection back."""
    yield first
    yield from chunks
