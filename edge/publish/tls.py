"""TLS to a broker, as a target's config wants it."""

from __future__ import annotations

import os
import ssl

from edge.errors import ConfigError
from edge.publish.base import in_words
from edge.publish.settings import TargetConfig


class _TidySocket(ssl.SSLSocket):
    """paho forgets a socket whose handshake fails; this one does not stay open until somebody collects it."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def tls_context(config: TargetConfig, where: str) -> ssl.SSLContext:
    """ConfigError where a certificate is missing or cannot be used; `where` names the target."""
    for key in ("ca_file", "cert_file", "key_file"):
        if (path := getattr(config, key)) and not os.access(path, os.R_OK):
            raise ConfigError(f"{where}: {key} {path} is not there or cannot be read")
    try:
        context = ssl.create_default_context(cafile=config.ca_file or None)
        context.sslsocket_class = _TidySocket
        if config.cert_file:
            context.load_cert_chain(config.cert_file, config.key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{where}: its certificates cannot be used ({in_words(error)})") from None
    return context
