"""Keys and certificates of a test's own: an authority, a server's, a client's. Made by openssl, for a day."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

OPENSSL = shutil.which("openssl")


class Certificate(NamedTuple):
    """Paths of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates, in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self.own = Certificate(folder / f"{name}.crt", folder / f"{name}.key")
        _openssl("req", "-x509", "-days", "1", "-subj", f"/CN={name}", *_key(self.own))

    def sign(self, name: str) -> Certificate:
        """A certificate for 127.0.0.1 and localhost."""
        made = Certificate(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        authority = ("-CA", self.own.certificate, "-CAkey", self.own.key)
        names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
        _openssl(
            "req", "-x509", "-days", "1", "-subj", f"/CN={name}", "-addext", names, *authority, *_key(made)
        )
        return made


def _key(made: Certificate) -> tuple[str | Path, ...]:
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    return (*kind, "-keyout", made.key, "-out", made.certificate)


def _openssl(*words: str | Path) -> None:
    assert OPENSSL is not None, "these tests need openssl on PATH"
    done = subprocess.run([OPENSSL, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
