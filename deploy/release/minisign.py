"""Signing as minisign does, so that Debian's `minisign -V` accepts it; the checking side stands in `deploy/onboard/signature.py`, which runs on the device."""

from __future__ import annotations

import os
from pathlib import Path

from deploy.keys import make_key, public_of, sign_bytes
from deploy.onboard import disk, signature
from deploy.release.errors import in_words

__all__ = ["SUFFIX", "make_key", "sign", "verify"]
SUFFIX = ".minisig"


def sign(archive: Path, secret: Path, comment: str, passphrase: str = "") -> Path:
    """Write `<archive>.minisig` and return its path; `comment` is the trusted one, in one line. An older signature is replaced."""
    with in_words():
        signature.checked_comment(comment)
        key, hashed = public_of(secret, passphrase), signature.digest(archive)
        first = sign_bytes(secret, hashed, passphrase)
        made = signature.Signature(key.id, first, comment, sign_bytes(secret, first + comment.encode(), passphrase))
        signature.check(hashed, signature.parse_signature(made.text.encode()), [key], archive.name)  # what the device will do
        path = beside(archive)
        fresh = path.with_name(f".{path.name}.new")
        try:
            with disk.named(fresh):
                fresh.write_text(made.text, encoding="utf-8")
            os.replace(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
    return path


def verify(archive: Path, trusted: Path, signed: Path | None = None) -> str:
    """The trusted comment; raises ReleaseError as the device would. The signature is looked for beside the archive."""
    with in_words():
        return signature.verify(archive, signed or beside(archive), trusted)


def beside(archive: Path) -> Path:
    return archive.with_name(archive.name + SUFFIX)
