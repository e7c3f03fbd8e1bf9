"""The certificate of the page: given by its owner, or made here by the `openssl` program and renewed before it ends."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ConfigError
from edge.web.settings import WebConfig

log = logging.getLogger(__name__)
DAYS, RENEW_BEFORE_DAYS = 397, 30
"""Browsers mistrust what is good for longer than 397 days."""
DAY_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files; `is_own` when they were made here."""

    certificate: Path
    key: Path
    is_own: bool


def certificate_of(config: WebConfig) -> Certificate | None:
    """What the config asks for, made or renewed where it is our own; None for plain HTTP. ConfigError names what is missing."""
    if config.tls_certificate:
        return Certificate(Path(config.tls_certificate), Path(config.tls_key), False)
    if not config.tls:
        return None
    folder = Path(config.access).parent
    found = Certificate(folder / "own.crt", folder / "own.key", True)
    if not lasts(found.certificate, RENEW_BEFORE_DAYS) or not found.key.exists():
        make(found)
    return found


def context_of(found: Certificate) -> ssl.SSLContext:
    """For a server, TLS 1.2 and later. ConfigError where certificate and key do not fit or cannot be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    context.set_alpn_protocols(["http/1.1"])
    load(context, found)
    return context


def load(context: ssl.SSLContext, found: Certificate) -> None:
    """Into a context that may be in use: new connections get it."""
    for key, path in (("tls_certificate", found.certificate), ("tls_key", found.key)):
        try:
            path.open("rb").close()
        except OSError as error:
            raise ConfigError(f"web.{key} {path}: cannot be read ({error.strerror}); check the path and who may read it") from None
    try:
        # A password would be asked for on a terminal that nobody sits at.
        context.load_cert_chain(found.certificate, found.key, password=lambda: "")
    except (ssl.SSLError, ValueError) as error:
        why = getattr(error, "reason", None) or error
        raise ConfigError(
            f"web.tls_certificate {found.certificate} and web.tls_key {found.key} cannot be used together ({why}); both are PEM, and the key has no password"
        ) from None


def fingerprint_of(certificate: Path) -> str:
    """SHA-256 of the (first) certificate, AB:CD:..., as browsers show it. ConfigError where there is none."""
    try:
        pem = certificate.read_text(encoding="ascii", errors="replace")
        first = pem[pem.index("-----BEGIN CERTIFICATE-----") : pem.index("-----END CERTIFICATE-----") + 25]
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest().upper()
    except (OSError, ValueError):
        raise ConfigError(f"{certificate}: holds no certificate (PEM)") from None
    return ":".join(digest[place : place + 2] for place in range(0, len(digest), 2))


def lasts(certificate: Path, days: float) -> bool:
    """Whether it will still be good in so many days; False where there is none."""
    if not certificate.exists():
        return False
    return _openssl("x509", "-checkend", str(int(days * DAY_S)), "-noout", "-in", str(certificate)).returncode == 0


def make(found: Certificate) -> None:
    """A new certificate, with the key that is there: who trusted it by its key goes on to."""
    try:
        found.certificate.parent.mkdir(parents=True, exist_ok=True)
        fresh = found.certificate.with_name(f".own.crt.{os.getpid()}")
        if not found.key.exists():
            _make_key(found.key)
        name = socket.gethostname().split(".")[0] or "platewatch"
        done = _openssl(
            "req", "-x509", "-new", "-sha256", "-key", str(found.key), "-out", str(fresh), "-days", str(DAYS), "-subj", f"/CN={name}",
            "-addext", f"subjectAltName={','.join(alternative_names(name, addresses()))}",
            "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=serverAuth",
        )  # fmt: skip
        if done.returncode != 0:
            raise ConfigError(f"openssl made no certificate: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'it said nothing'}")
        os.replace(fresh, found.certificate)
    except OSError as error:
        raise ConfigError(f"{found.certificate}: the certificate cannot be written ({error.strerror}); check the folder of web.access") from None
    log.info("made a certificate for HTTPS, SHA-256 %s", fingerprint_of(found.certificate))


def _make_key(key: Path) -> None:
    """ECDSA P-256, readable by its owner alone from the first moment."""
    done = _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    if done.returncode != 0:
        raise ConfigError("openssl made no key; is this a full openssl?")
    fresh = key.with_name(f".own.key.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(done.stdout)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, key)


def alternative_names(host: str, found: list[str]) -> list[str]:
    """For `subjectAltName`: the device's names and addresses."""
    names = dict.fromkeys((host, f"{host}.local", "localhost"))
    return [f"DNS:{name}" for name in names] + [f"IP:{address}" for address in dict.fromkeys((*found, "127.0.0.1", "::1"))]


def addresses() -> list[str]:
    """The address that this machine has towards its network, by each protocol. Nothing is sent."""
    found = []
    for family, there in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as asker:
                asker.connect((there, 9))
                found.append(str(asker.getsockname()[0]).partition("%")[0])
        except OSError:
            continue
    return found


def _openssl(*words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("openssl")
    if program is None:
        raise ConfigError("web.tls = 'own' needs the program openssl; install it (sudo apt install openssl), or name a web.tls_certificate of your own")
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=60, check=False)


class Renewal:
    """Keeps a context's certificate fresh while the page runs: our own is made anew before it ends, a given one is read again when its files change."""

    def __init__(self, config: WebConfig, context: ssl.SSLContext, found: Certificate) -> None:
        self._config, self._context = config, context
        self._stamp, self._looked_at = _stamp(found), time.monotonic()

    def look(self) -> bool:
        """True when there was a new one. What cannot be used is logged, and the old one goes on."""
        try:
            found = certificate_of(self._config)
            if found is None or _stamp(found) == self._stamp:
                return False
            load(self._context, found)
        except (ConfigError, OSError) as error:
            log.error("the certificate cannot be renewed: %s", error)
            return False
        self._stamp = _stamp(found)
        return True


def _stamp(found: Certificate) -> tuple[tuple[int, int], ...]:
    looked = (path.stat() for path in (found.certificate, found.key))
    return tuple((file.st_ino, file.st_mtime_ns) for file in looked)
