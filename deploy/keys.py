"""The keys that sign releases: Ed25519, the secret half a PKCS#8 PEM file of its owner alone, the public half as minisign writes it.

All Ed25519 is done by the `openssl` program. A key's id is made from the public half, so that the two files cannot come apart.
"""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import tempfile
from pathlib import Path

from deploy.onboard import disk
from deploy.onboard.signature import COMMENT, MOST_TRUSTED, SPKI, PublicKey, parse_trusted
from deploy.release.errors import ReleaseError, in_words

ENCRYPTED, PLAIN = b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"-----BEGIN PRIVATE KEY-----"
PASSPHRASE = "PLATEWATCH_KEY_PASSPHRASE"
"""The environment variable that may hold the passphrase, for builds without a person."""


def make_key(secret: Path, public: Path, passphrase: str = "") -> PublicKey:
    """Write both halves; neither may be there already. With a passphrase the secret half is encrypted (AES-256, PBKDF2)."""
    for path in (secret, public):
        if path.exists() or path.is_symlink():
            raise ReleaseError(f"{path}: is there already; a key is never overwritten: name another file, or move it away")
    with in_words():
        secret.parent.mkdir(parents=True, exist_ok=True)
        public.parent.mkdir(parents=True, exist_ok=True)
        raw = _openssl("genpkey", "-algorithm", "ed25519", *(["-aes-256-cbc", "-pass"] if passphrase else []), passphrase=passphrase)
        _write(secret, raw, 0o600)
        try:
            key = public_of(secret, passphrase)
            _write(public, f"{COMMENT} minisign public key {key.name}\n{key.line}\n".encode(), 0o644)
        except BaseException:
            secret.unlink(missing_ok=True)  # half a pair is of no use
            raise
    return key


def public_of(secret: Path, passphrase: str = "") -> PublicKey:
    """The public half of a secret one; raises ReleaseError where it is none, readable for others, or the passphrase is wrong."""
    _checked(secret, passphrase)
    der = _openssl("pkey", "-in", str(secret), "-pubout", "-outform", "DER", *_passin(secret), passphrase=passphrase)
    if len(der) != 44 or not der.startswith(SPKI):
        raise ReleaseError(f"{secret}: is no Ed25519 key; make one with: python -m deploy keys new")
    return PublicKey(hashlib.blake2b(der[12:], digest_size=8).digest(), der[12:])


def sign_bytes(secret: Path, message: bytes, passphrase: str = "") -> bytes:
    """64 bytes; the caller has asked `public_of` before."""
    _checked(secret, passphrase)
    with tempfile.TemporaryDirectory(prefix="platewatch-sign-") as folder:
        path = Path(folder, "message")
        with disk.named(path):
            path.write_bytes(message)
        return _openssl("pkeyutl", "-sign", "-inkey", str(secret), "-rawin", "-in", str(path), *_passin(secret), passphrase=passphrase)


def is_encrypted(secret: Path) -> bool:
    return _head(secret).startswith(ENCRYPTED)


def read_public(path: Path) -> list[PublicKey]:
    """Of a .pub file, one or more."""
    with in_words():
        return parse_trusted(_head(path, MOST_TRUSTED), str(path))


def is_secret(path: Path) -> bool:
    return _head(path).startswith((ENCRYPTED, PLAIN))


def _checked(secret: Path, passphrase: str) -> None:
    head = _head(secret)
    if not head.startswith((ENCRYPTED, PLAIN)):
        raise ReleaseError(f"{secret}: is no secret key (PKCS#8 PEM); make one with: python -m deploy keys new")
    if head.startswith(ENCRYPTED) and not passphrase:
        raise ReleaseError(f"{secret}: has a passphrase and none was given; type it when asked, or set {PASSPHRASE}")
    if stat.S_IMODE(secret.stat().st_mode) & 0o077:
        raise ReleaseError(f"{secret}: others on this computer may read this secret key; chmod 600 {secret}")


def _passin(secret: Path) -> list[str]:
    return ["-passin"] if is_encrypted(secret) else []


def _openssl(*words: str, passphrase: str) -> bytes:
    """What it writes. `-pass` and `-passin` get the passphrase through a pipe, where no list of processes shows it."""
    line, passed = list(words), []
    if word := next((word for word in ("-pass", "-passin") if word in line), None):
        reading, writing = os.pipe()
        with os.fdopen(writing, "wb") as stream:
            stream.write(passphrase.encode() + b"\n")
        line.insert(line.index(word) + 1, f"fd:{reading}")
        passed = [reading]
    try:
        done = subprocess.run(["openssl", *line], stdin=subprocess.DEVNULL, capture_output=True, pass_fds=passed, timeout=120, check=False)
    except FileNotFoundError:
        raise ReleaseError("openssl is not installed, and keys are made and used by it; sudo apt-get install openssl") from None
    except subprocess.TimeoutExpired:
        raise ReleaseError("openssl did not answer within two minutes") from None
    finally:
        for number in passed:
            os.close(number)
    if done.returncode == 0 and done.stdout:
        return done.stdout
    said = done.stderr.decode(errors="replace")
    if passed and any(word in said for word in ("bad decrypt", "Could not read", "Could not find", "maybe wrong password", "unable to load")):
        raise ReleaseError("the passphrase does not open the secret key")
    lines = said.strip().splitlines()
    raise ReleaseError(f"openssl could not do its work ({lines[0] if lines else done.returncode}); the secret key may be damaged, or openssl older than 3.0")


def _head(path: Path, most: int = 4096) -> bytes:
    try:
        with in_words(), path.open("rb") as stream:
            return stream.read(most)
    except ReleaseError as error:
        if path.exists():
            raise
        raise ReleaseError(f"{error}; name a .key or .pub file, or make a pair with: python -m deploy keys new NAME") from None


def _write(path: Path, raw: bytes, mode: int) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with disk.named(path), os.fdopen(file, "wb") as stream:
            stream.write(raw)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink()  # a part of a key is none, and would be in the way of the next attempt
        raise
