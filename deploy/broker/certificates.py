"""A certificate authority of one's own and the broker's certificate, by the `openssl` program."""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.broker.errors import BrokerError

CA_DAYS, SERVER_DAYS = 3650, 825
CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def names(hosts: Sequence[str]) -> str:
    """`subjectAltName` of a certificate for these names and addresses; raises BrokerError for what is neither."""
    if not hosts:
        raise BrokerError("by which name or address shall devices reach the broker? say it with --host, for each of them")
    told = []
    for host in hosts:
        try:
            told.append(f"IP:{ipaddress.ip_address(host)}")
        except ValueError:
            if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", host) or ".." in host:
                raise BrokerError(f"--host {host[:80]!r}: neither a host name nor an address") from None
            told.append(f"DNS:{host}")
            continue
        if "%" in host:
            raise BrokerError(f"--host {host!r}: is an address of one machine's own network card; leave out what is behind the %")
    return ",".join(told)


def names_of(certificate: Path) -> list[str]:
    """Names and addresses in a certificate, as `names` was given them; none where it is not there or cannot be read as one."""
    if not certificate.exists():
        return []
    try:
        told = _openssl("x509", "-in", certificate, "-noout", "-ext", "subjectAltName")
    except BrokerError:
        return []
    found = re.findall(r"(DNS|IP Address):([^,\s]+)", told)
    return [name if kind == "DNS" else str(ipaddress.ip_address(name)) for kind, name in found]


def make_authority(folder: Path) -> None:
    """ca.key and ca.crt, unless both are there. Whoever has the key can pretend to be the broker: it stays off the broker and off the devices."""
    key, certificate = folder / "ca.key", folder / "ca.crt"
    if key.exists() and certificate.exists():
        if _public("pkey", key) != _public("x509", certificate):
            raise BrokerError(f"{folder}: ca.key and ca.crt do not belong together; put back those of one time, or begin in a new folder")
        return
    if key.exists() or certificate.exists():
        raise BrokerError(f"{key if key.exists() else certificate}: is there, and its other half is not; put that back, or begin in a new folder")
    extensions = ["-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    with _private(folder) as made:
        fresh = made / "ca"  # put in place as one: a power cut leaves both halves or none
        fresh.mkdir(mode=0o700)
        _openssl(
            "req", "-x509", *CURVE, "-keyout", fresh / "ca.key", "-out", fresh / "ca.crt", "-days", CA_DAYS,
            "-subj", "/CN=Platewatch broker authority", *extensions,
        )  # fmt: skip
        (fresh / "ca.key").chmod(0o600)
        (fresh / "ca.crt").chmod(0o644)
        os.replace(fresh, folder)


def _public(kind: str, path: Path) -> str:
    """The public half of a key (`pkey`) or of a certificate's (`x509`)."""
    words = ["-pubout", "-passin", "pass:"] if kind == "pkey" else ["-noout", "-pubkey"]
    try:
        return _openssl(kind, "-in", path, *words)
    except BrokerError:
        raise BrokerError(f"{path}: cannot be used, it is damaged or locked by a passphrase; put it back from a copy, or begin in a new folder") from None


def make_server(authority: Path, key: Path, certificate: Path, hosts: Sequence[str]) -> None:
    """The broker's key and certificate, each time anew: so it is renewed, too."""
    told = names(hosts)
    with _private(key) as fresh:
        _openssl("req", "-new", *CURVE, "-keyout", fresh / "key", "-out", fresh / "csr", "-subj", f"/CN={hosts[0][:64]}")
        lines = [f"subjectAltName={told}", "basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", "extendedKeyUsage=serverAuth"]
        (fresh / "ext").write_text("\n".join(lines) + "\n", encoding="utf-8")
        signed: list[str | Path] = ["-CA", authority / "ca.crt", "-CAkey", authority / "ca.key", "-set_serial", f"0x{os.urandom(16).hex()}"]
        _openssl("x509", "-req", "-in", fresh / "csr", *signed, "-days", SERVER_DAYS, "-extfile", fresh / "ext", "-out", fresh / "crt")
        _put(fresh / "key", key, 0o600)
        _put(fresh / "crt", certificate, 0o644)


class _private(tempfile.TemporaryDirectory[str]):
    """A folder beside `path` that nobody else can look into, gone afterwards."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(dir=path.parent, prefix=".making-")

    def __enter__(self) -> Path:  # type: ignore[override]
        return Path(super().__enter__())


def _put(fresh: Path, path: Path, mode: int) -> None:
    fresh.chmod(mode)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.replace(fresh, path)


def _openssl(*words: str | int | Path) -> str:
    """What it says."""
    if shutil.which("openssl") is None:
        raise BrokerError("there is no openssl program on this machine; install openssl")
    done = subprocess.run(["openssl", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), f"exit code {done.returncode}")
        raise BrokerError(f"openssl {words[0]} failed: {last}")
    return done.stdout
