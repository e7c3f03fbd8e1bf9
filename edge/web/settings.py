"""The page's section of the config."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from edge.section import Section

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PATHS = ("access", "setup_code_file", "tls_certificate", "tls_key")


class WebConfig(Section):
    """The status page."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address the page listens on; anything but this machine itself needs a `password_hash` or a `setup_code_file`.",
    )
    port: int = Field(default=8080, ge=1, le=65535, description="Port the page listens on.")
    password_hash: str = Field(default="", description="Hash of the password of the user `admin`; empty: no password, loopback only.")
    access: str = Field(
        default="var/access.json",
        min_length=1,
        description="File of the other users and the API tokens, which the page writes; readable by its owner alone.",
    )
    idle_minutes: int = Field(default=60, ge=5, le=7 * 24 * 60, description="A log-in that nobody used for so long ends.")
    setup_code_file: str = Field(
        default="",
        description="With no password yet the page, where others can reach it, shows nothing but a form for the first one, which needs the code in this file "
        "(made when it is not there, and logged). Empty: no set-up from elsewhere.",
    )
    tls: Literal["", "own"] = Field(default="", description="`own`: HTTPS with a certificate that the page makes and renews, beside `web.access`.")
    tls_certificate: str = Field(default="", description="HTTPS with this certificate (PEM, with its chain); needs `tls_key`.")
    tls_key: str = Field(default="", description="The key of `tls_certificate` (PEM, without a password).")
    redirect_port: int = Field(default=0, ge=0, le=65535, description="With HTTPS: port on which plain HTTP is sent on to it; 0: none.")

    @model_validator(mode="after")
    def _open_pages_have_a_password(self) -> Self:
        if self.host not in LOOPBACK and not self.password_hash and not self.setup_code_file:
            raise ValueError(
                f"web.host is {self.host!r}, which others can reach, but web.password_hash is empty; set one, name a web.setup_code_file, or use 127.0.0.1"
            )
        return self

    @model_validator(mode="after")
    def _a_certificate_has_its_key(self) -> Self:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("web.tls_certificate and web.tls_key belong together; name both or neither")
        if self.tls and self.tls_certificate:
            raise ValueError("web.tls = 'own' makes a certificate, and web.tls_certificate names one; take one of the two")
        if self.redirect_port and not self.encrypted:
            raise ValueError("web.redirect_port leads to HTTPS, which is off; set web.tls = 'own' or name a web.tls_certificate")
        if self.redirect_port and self.redirect_port == self.port:
            raise ValueError("web.redirect_port and web.port are the same; plain HTTP needs a port of its own")
        return self

    @property
    def encrypted(self) -> bool:
        return bool(self.tls or self.tls_certificate)

    def absolute(self, base: Path) -> Self:
        return self.model_copy(update={key: str(base / path) for key in PATHS if (path := getattr(self, key))})
