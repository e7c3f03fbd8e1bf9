"""Minisign signatures, checked before anything of an archive is believed: hashing by hashlib, Ed25519 by the system's `openssl`, nothing of our own.

A signature file has four lines: an untrusted comment; base64 of `ED`, the key's id and the signature of the file's BLAKE2b-512; a trusted comment;
base64 of the signature of both the former signature and that comment. A file of trusted keys holds one or more pairs of lines, as minisign writes them.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import hashlib
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.onboard import disk
from deploy.onboard.errors import OnboardError

COMMENT, TRUSTED = "untrusted comment:", "trusted comment: "
MOST_BYTES = 16_384
"""Of a signature file; minisign's own comments end at 1 KiB and 8 KiB."""
MOST_TRUSTED = 65_536
SECRET = b"PRIVATE KEY-----"
PREHASHED, LEGACY, KEY = b"ED", b"Ed", b"Ed"
SPKI = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of an Ed25519 key in a DER SubjectPublicKeyInfo (RFC 8410)."""
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class PublicKey:
    id: bytes
    """8 bytes, as they stand in the file."""
    key: bytes
    """32 bytes, Ed25519."""

    @property
    def name(self) -> str:
        """The id as minisign writes it: 16 hexadecimal digits."""
        return self.id[::-1].hex().upper()

    @property
    def line(self) -> str:
        """Base64, as it stands in a .pub file and after `minisign -P`."""
        return base64.b64encode(KEY + self.id + self.key).decode()


@dataclass(frozen=True, slots=True)
class Signature:
    key_id: bytes
    signature: bytes
    """64 bytes, of the BLAKE2b-512 of the file."""
    comment: str
    """The trusted one."""
    comment_signature: bytes
    """64 bytes, of `signature` and the comment."""

    @property
    def text(self) -> str:
        """The .minisig file, the untrusted comment names the key."""
        first, last = (base64.b64encode(raw).decode() for raw in (PREHASHED + self.key_id + self.signature, self.comment_signature))
        return f"{COMMENT} signature from secret key {self.key_id[::-1].hex().upper()}\n{first}\n{TRUSTED}{self.comment}\n{last}\n"


def verify(archive: Path, signature: Path, trusted: Path) -> str:
    """The trusted comment; raises OnboardError in words where the archive is not signed, whole and unchanged, by one of the `trusted` keys."""
    keys = parse_trusted(_read(trusted, MOST_TRUSTED, "the trusted keys"), str(trusted))
    signed = parse_signature(_read(signature, MOST_BYTES, "the signature"), str(signature))
    return check(digest(archive), signed, keys, archive.name)


def check(blake2b: bytes, signed: Signature, keys: list[PublicKey], name: str) -> str:
    """As `verify`, for who hashed the archive while it came in; `name` is for the sentence."""
    mine = [key for key in keys if key.id == signed.key_id]
    if not mine:
        known, other = ", ".join(key.name for key in keys), signed.key_id[::-1].hex().upper()
        mend = "is it a new key of theirs? Then: platewatch-deploy trust --add FILE.pub"
        raise OnboardError(f"{name}: signed with the key {other}, which this device does not trust (it trusts {known}); {mend}")
    if not any(ed25519(key.key, blake2b, signed.signature) for key in mine):
        raise OnboardError(f"{name}: does not fit its signature: it was changed, is not whole, or is another file; fetch both again")
    if not any(ed25519(key.key, signed.signature + signed.comment.encode(), signed.comment_signature) for key in mine):
        raise OnboardError(f"{name}: the trusted comment of its signature was changed; fetch the signature again")
    return signed.comment


def digest(archive: Path) -> bytes:
    """BLAKE2b-512 of the whole file: what minisign signs."""
    hashed = hashlib.blake2b()
    try:
        with archive.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                hashed.update(chunk)
    except OSError as error:
        raise OnboardError(f"{archive}: cannot be read ({error.strerror})") from None
    return hashed.digest()


def ed25519(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) is that of `message` by `key` (32 bytes); OnboardError where `openssl` cannot be run at all."""
    pem = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(SPKI + key).decode()}\n-----END PUBLIC KEY-----\n"
    try:
        made = tempfile.TemporaryDirectory(prefix="platewatch-verify-")
    except OSError as error:
        raise OnboardError(f"openssl needs a folder to check a signature in, and none can be made ({error.strerror}); make room in /tmp or /var/tmp") from None
    with made as folder:
        files = {"key": pem.encode(), "message": message, "signature": signature}
        for name, raw in files.items():
            with disk.in_words(Path(folder, name)):
                Path(folder, name).write_bytes(raw)
        words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key", "-rawin", "-in", "message", "-sigfile", "signature"]
        try:
            done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        except FileNotFoundError:
            raise OnboardError("openssl is not installed, and signatures cannot be checked without it; sudo apt-get install openssl") from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OnboardError(f"openssl did not run, so that no signature could be checked ({error})") from None
    if done.returncode == 0 and b"Signature Verified Successfully" in done.stdout:
        return True
    if b"Signature Verification Failure" in done.stdout + done.stderr:
        return False
    said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
    raise OnboardError(f"openssl cannot check Ed25519 signatures here ({said[0] if said else done.returncode}); version 3.0 or later is needed")


def parse_signature(raw: bytes, name: str = "the signature") -> Signature:
    """Of a .minisig file; raises OnboardError where it is none, or one of the old kind that does not hash first."""
    lines = _lines(raw, name)
    if len(lines) != 4 or not lines[0].startswith(COMMENT) or not lines[2].startswith(TRUSTED):
        raise OnboardError(f"{name}: is no minisign signature (four lines, the first and the third are comments)")
    first, last = _base64(lines[1], name), _base64(lines[3], name)
    if len(first) != 74 or len(last) != 64:
        raise OnboardError(f"{name}: is no minisign signature (its lines have the wrong length)")
    if first[:2] == LEGACY:
        raise OnboardError(f"{name}: is a signature of minisign's old kind; sign again without -l")
    if first[:2] != PREHASHED:
        raise OnboardError(f"{name}: is signed by a method that is not known here")
    return Signature(first[2:10], first[10:], checked_comment(lines[2][len(TRUSTED) :], name), last)


def parse_trusted(raw: bytes, name: str = "the trusted keys") -> list[PublicKey]:
    """Of a .pub file with one key or more; raises OnboardError where there is none or a line is no key."""
    keys = keys_in(raw, name)
    if not keys:
        raise OnboardError(f"{name}: holds no public key; put the lines of a .pub file there, of whoever makes your releases")
    return keys


def keys_in(raw: bytes, name: str) -> list[PublicKey]:
    """The same where there may be none: a device that was installed from a checkout trusts nobody yet."""
    keys = []
    if SECRET in raw:
        raise OnboardError(f"{name}: is a secret key, which stays with who signs and goes onto no device; give its .pub file")
    for number, line in enumerate(_lines(raw.removeprefix(codecs.BOM_UTF8), name), 1):  # Windows's editors begin with that
        if not line.strip() or line.startswith((COMMENT, "#")):
            continue
        if (key := key_of(line.strip())) is None:
            raise OnboardError(f"{name}: line {number} is no minisign public key; each stands in a line of its own, as in a .pub file")
        keys.append(key)
    return keys


def key_of(line: str) -> PublicKey | None:
    """The key that is all of this line; None where it is none."""
    try:
        raw = _base64(line, "")
    except OnboardError:
        return None
    return PublicKey(raw[2:10], raw[10:]) if len(raw) == 42 and raw[:2] == KEY else None


def checked_comment(comment: str, name: str = "the trusted comment") -> str:
    """`comment`, where it is one line that a terminal can show and that minisign takes too."""
    if any(not (char.isprintable() or char == "\t") for char in comment) or len(comment.encode(errors="replace")) > 8000:
        raise OnboardError(f"{name}: the trusted comment is not one line of at most 8000 bytes that can be shown")
    return comment


def _lines(raw: bytes, name: str) -> list[str]:
    """Without the ends of lines, be they Unix's or Windows's."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise OnboardError(f"{name}: is no text, so it is none of minisign's files") from None
    lines = text.split("\n")
    return [line.removesuffix("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]


def _base64(line: str, name: str) -> bytes:
    """Strict: one spelling for one value."""
    try:
        raw = base64.b64decode(line.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise OnboardError(f"{name}: a line in it is not base64") from None
    if base64.b64encode(raw).decode() != line:
        raise OnboardError(f"{name}: a line in it is not base64")
    return raw


def _read(path: Path, most: int, what: str) -> bytes:
    try:
        with path.open("rb") as stream:
            raw = stream.read(most + 1)
    except FileNotFoundError:
        raise OnboardError(f"{path}: {what} cannot be found; without a signature by a trusted key nothing is installed") from None
    except OSError as error:
        raise OnboardError(f"{path}: cannot be read ({error.strerror})") from None
    if len(raw) > most:
        raise OnboardError(f"{path}: is larger than {most} bytes, so it is not {what}")
    return raw
