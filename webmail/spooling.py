"""Files that a browser sends up while they are on this machine's disk: nothing of them can be read there.

What is small stays in memory, as Django has it. The rest goes to a file without a name, enciphered with a key that only
this request knows (AES in counter mode, NIST SP 800-38A §6.5), so that it can be read from the beginning again.
"""

from __future__ import annotations

import os
from tempfile import TemporaryFile
from typing import IO, Any, cast

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler


class SealedFile:
    """A temporary file that is written to its end, then read from its beginning, any number of times."""

    def __init__(self) -> None:
        self._file: IO[bytes] = TemporaryFile()  # noqa: SIM115  it lives as long as the request
        self._key, self._nonce = os.urandom(32), os.urandom(16)
        self._cipher = self._begin()

    def write(self, data: bytes) -> None:
        self._file.write(self._cipher.update(data))

    def read(self, size: int = -1) -> bytes:
        return self._cipher.update(self._file.read(size))

    def seek(self, offset: int) -> int:
        """Go back to the beginning, the one place there is to go to."""
        if offset:
            raise ValueError("a sealed file is read from its beginning")
        self._cipher = self._begin()
        return self._file.seek(0)

    def close(self) -> None:
        self._file.close()

    def _begin(self) -> CipherContext:
        return Cipher(AES(self._key), CTR(self._nonce)).encryptor()  # enciphering and deciphering are the same


class SealedUploadHandler(FileUploadHandler):
    """Django's handler for large files, with `SealedFile`."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._sealed = SealedFile()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._sealed.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile[bytes]:
        self._sealed.seek(0)
        return UploadedFile(cast(IO[bytes], self._sealed), self.file_name, self.content_type, file_size, self.charset)

    def upload_interrupted(self) -> None:
        self._sealed.close()
