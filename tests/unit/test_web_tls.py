"""HTTPS: the certificate that is made, the one that is given, and what real clients say to them."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from edge import cli
from edge.config import Config
from edge.errors import ConfigError
from edge.web import app as web
from edge.web import tls
from edge.web.front import Limits
from edge.web.server import Server
from edge.web.settings import WebConfig
from tests.pages import a_config, a_page

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the program openssl is not installed")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def own(folder: Path) -> tls.Certificate:
    found = tls.certificate_of(WebConfig(tls="own", access=str(folder / "access.json")))
    assert found is not None
    return found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    found, app = web.make_server(a_config(tmp_path, host="127.0.0.1", port=0, tls="own", redirect_port=free_port()))
    thread = Thread(target=found.run)
    thread.start()
    yield found
    web.close(found, app)
    thread.join(10)


def trusting(folder: Path) -> ssl.SSLContext:
    """A client that trusts this very certificate, and checks the name in it."""
    return ssl.create_default_context(cafile=str(folder / "own.crt"))


def get(server: Server, context: ssl.SSLContext, path: str = "/healthz", **headers: str) -> tuple[int, dict[str, str], bytes]:
    line = http.client.HTTPSConnection("127.0.0.1", server.effective_port, context=context, timeout=30)
    try:
        line.request("GET", path, headers=headers)
        answer = line.getresponse()
        return answer.status, {name.title(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        line.close()


def test_the_own_certificate_is_ecdsa_p_256_with_names_addresses_and_a_key_for_its_owner_alone(tmp_path: Path) -> None:
    found = own(tmp_path)
    told = subprocess.run(["openssl", "x509", "-text", "-noout", "-in", str(found.certificate)], capture_output=True, text=True, check=True).stdout
    name = socket.gethostname().split(".")[0]
    assert all(
        said in told for said in ("prime256v1", f"DNS:{name}.local", "DNS:localhost", "IP Address:127.0.0.1", "CA:FALSE", "TLS Web Server Authentication")
    )
    assert found.key.stat().st_mode & 0o777 == 0o600


def test_it_is_kept_until_its_end_is_near_and_renewed_with_the_same_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = own(tmp_path)
    first, key = tls.fingerprint_of(found.certificate), found.key.read_bytes()
    assert tls.fingerprint_of(own(tmp_path).certificate) == first
    monkeypatch.setattr(tls, "RENEW_BEFORE_DAYS", tls.DAYS + 1)
    assert tls.fingerprint_of(own(tmp_path).certificate) != first
    assert found.key.read_bytes() == key


def test_a_client_that_trusts_it_is_served_and_one_that_does_not_is_warned(tmp_path: Path, server: Server) -> None:
    code, headers, _ = get(server, trusting(tmp_path), "/login")
    assert code == 200
    assert headers["Set-Cookie"].startswith("__Host-platewatch=")
    assert all(word in headers["Set-Cookie"] for word in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"))
    with pytest.raises(ssl.SSLCertVerificationError):
        get(server, ssl.create_default_context())


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_is_served_over_one_connection(tmp_path: Path, server: Server) -> None:
    url = f"https://127.0.0.1:{server.effective_port}/healthz"
    words = [
        "curl",
        "-sS",
        "-m",
        "10",
        "--cacert",
        str(tmp_path / "own.crt"),
        "-w",
        "%{http_code} %{num_connects}\n",
        "-o",
        os.devnull,
        url,
        "-o",
        os.devnull,
        url,
    ]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "200 1\n200 0\n"


def test_the_address_of_who_asks_is_not_lost(tmp_path: Path, server: Server) -> None:
    """127.0.0.7 is another client than 127.0.0.1."""
    line = http.client.HTTPSConnection("127.0.0.1", server.effective_port, context=trusting(tmp_path), timeout=30, source_address=("127.0.0.7", 0))
    line.request("GET", "/healthz")
    assert line.getresponse().status == 200
    assert {one.address for one in server.room.open} == {"127.0.0.7"}
    line.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_current_editions_of_tls_are_spoken(tmp_path: Path, server: Server, version: ssl.TLSVersion) -> None:
    context = trusting(tmp_path)
    context.minimum_version = context.maximum_version = version
    assert get(server, context)[0] == 200


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_editions_of_tls_are_not_spoken(tmp_path: Path, server: Server) -> None:
    context = trusting(tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        get(server, context)


def test_a_large_answer_comes_whole(tmp_path: Path, server: Server) -> None:
    _, headers, body = get(server, trusting(tmp_path), "/static/page.css")
    assert len(body) == int(headers["Content-Length"]) > 5000


def test_a_handshake_that_never_comes_gives_its_place_back(tmp_path: Path, server: Server) -> None:
    usual = server.room.limits
    server.room.limits = Limits(handshake_s=0.3)
    with socket.create_connection(("127.0.0.1", server.effective_port), timeout=30) as line:
        assert line.recv(1) == b""
    until_all_have_gone(server)
    server.room.limits = usual
    assert get(server, trusting(tmp_path))[0] == 200


def until_all_have_gone(server: Server) -> None:
    end = time.monotonic() + 30
    while server.room.open:
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x00\x05hello"])
def test_what_is_no_handshake_is_shut_and_gives_its_place_back(server: Server, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.effective_port), timeout=30) as line:
        line.sendall(sent)
        with contextlib.suppress(ConnectionResetError):
            while line.recv(100):
                continue
    until_all_have_gone(server)


def test_a_request_that_comes_with_the_last_words_of_the_handshake_is_not_lost(tmp_path: Path, server: Server) -> None:
    """Many times, since it is a matter of moments."""
    context = trusting(tmp_path)
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.effective_port), timeout=30) as raw:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            line = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
            while True:
                try:
                    line.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    raw.sendall(outgoing.read())
                    incoming.write(raw.recv(65536))
            line.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            raw.sendall(outgoing.read())  # the client's last words and its request in one
            told = b""
            while b"HTTP/1.1 200" not in told:
                incoming.write(raw.recv(65536))
                with contextlib.suppress(ssl.SSLWantReadError):
                    told += line.read(65536)


def test_plain_http_is_sent_on_and_repeats_no_host_that_is_none(server: Server) -> None:
    def ask(words: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", server.room.plain), timeout=30) as line:
            line.sendall(words)
            return line.recv(4096)

    answer = ask(b"GET /events?text=A HTTP/1.1\r\nHost: gate.local:80\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 308")
    assert f"location: https://gate.local:{server.effective_port}/events?text=A\r\n".encode() in answer
    assert ask(b'GET / HTTP/1.1\r\nHost: evil"/\r\n\r\n').startswith(b"HTTP/1.1 400")
    assert b"https://[::1]:" in ask(b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n")


def test_a_given_certificate_is_read_again_when_its_files_change(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        own(tmp_path / name)
    certificate, key = tmp_path / "page.crt", tmp_path / "page.key"

    def put(name: str) -> None:
        shutil.copy(tmp_path / name / "own.crt", certificate)
        shutil.copy(tmp_path / name / "own.key", key)

    put("one")
    config = WebConfig(tls_certificate=str(certificate), tls_key=str(key))
    found = tls.certificate_of(config)
    assert found is not None
    context = tls.context_of(found)
    renewal = tls.Renewal(config, context, found)
    assert not renewal.look()
    put("two")
    assert renewal.look()
    shutil.copy(tmp_path / "one" / "own.key", key)
    assert not renewal.look()  # half of a pair: the old one goes on


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        ("no.crt", "own.key", "web.tls_certificate .*no.crt: cannot be read"),
        ("own.crt", "no.key", "web.tls_key .*no.key: cannot be read"),
        ("own.crt", "other/own.key", "cannot be used together"),
        ("own.key", "own.key", "cannot be used together"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path, certificate: str, key: str, said: str) -> None:
    own(tmp_path)
    (tmp_path / "other").mkdir()
    own(tmp_path / "other")
    with pytest.raises(ConfigError, match=said):
        tls.context_of(tls.Certificate(tmp_path / certificate, tmp_path / key, False))


def test_without_openssl_its_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(ConfigError, match="sudo apt install openssl"):
        own(tmp_path)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"tls_certificate": "a.crt"}, "belong together"),
        ({"tls": "own", "tls_certificate": "a.crt", "tls_key": "a.key"}, "take one of the two"),
        ({"redirect_port": 80}, "leads to HTTPS, which is off"),
        ({"tls": "own", "redirect_port": 8080}, "are the same"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        WebConfig(**fields)


def test_the_fingerprint_is_printed_as_browsers_show_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "platewatch.toml").write_text('[web]\ntls = "own"\naccess = "access.json"\n')
    assert cli.main(["web", "--config", str(tmp_path / "platewatch.toml"), "--fingerprint"]) == 0
    printed = capsys.readouterr().out.strip()
    words = ["openssl", "x509", "-fingerprint", "-sha256", "-noout", "-in", str(tmp_path / "own.crt")]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip().partition("=")[2] == printed


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = a_config(tmp_path, host="127.0.0.1", port=taken.getsockname()[1])
        with pytest.raises(ConfigError, match=r"cannot listen on 127\.0\.0\.1:"):
            web.make_server(config)


def test_without_encryption_the_cookie_is_not_secure_or_it_would_never_come_back(tmp_path: Path) -> None:
    cookie = a_page(tmp_path).test_client().get("/login").headers["Set-Cookie"]
    assert cookie.startswith("platewatch=")
    assert "Secure" not in cookie


def test_paths_of_the_section_count_from_the_file(tmp_path: Path) -> None:
    found = Config(web=WebConfig(tls_certificate="a.crt", tls_key="/b.key")).web.absolute(tmp_path)
    assert (found.tls_certificate, found.tls_key, found.access, found.setup_code_file) == (f"{tmp_path}/a.crt", "/b.key", f"{tmp_path}/var/access.json", "")
