"""From the web: also where the connection breaks off in the middle."""

from __future__ import annotations

import os
import resource
import ssl
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploy.onboard import archive, disk, sources, web
from deploy.onboard.errors import OnboardError
from tests.onboard import UNITS, Device, pack


@contextmanager
def served(folder, *, ranges=True, breaks_after=0):
    """The folder over HTTP on loopback; with `breaks_after` the first answer to a .tar ends after so many bytes. Yields (address, the ranges asked for)."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path = folder / self.path.lstrip("/")
            if not path.is_file():
                self.send_error(404)
                return
            raw, wanted = path.read_bytes(), self.headers.get("Range")
            asked.append((path.suffix, wanted))
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and ranges else 0
            if start >= len(raw):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(raw) - start))
            self.end_headers()
            first = path.suffix == ".tar" and breaks_after and sum(suffix == ".tar" for suffix, _ in asked) == 1
            self.wfile.write(raw[start : start + breaks_after] if first else raw[start:])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def site(tmp_path):
    return Device.bare(tmp_path / "device").site()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_goes_on_where_it_was_cut_off(site, tmp_path, ranges):
    packed = pack(tmp_path / "web", "1.0.1")
    with served(tmp_path / "web", breaks_after=3000, ranges=ranges) as (address, asked):
        with pytest.raises(OnboardError, match="the same command goes on from there"):
            sources.fetch(site, f"{address}/{packed.name}")
        found = sources.fetch(site, f"{address}/{packed.name}")
    assert found.read_bytes() == packed.read_bytes()
    assert archive.beside(found).read_bytes() == archive.beside(packed).read_bytes()
    assert asked[-1] == (".tar", "bytes=3000-")


def test_what_is_there_already_is_not_fetched_again(site, tmp_path):
    packed = pack(tmp_path / "web", "1.0.1")
    with served(tmp_path / "web") as (address, _):
        sources.fetch(site, f"{address}/{packed.name}")
        assert sources.fetch(site, f"{address}/{packed.name}").read_bytes() == packed.read_bytes()


def test_a_part_of_another_address_is_not_gone_on_with(site, tmp_path):
    one, other = pack(tmp_path / "web", "1.0.1"), pack(tmp_path / "web", "1.0.2")
    with served(tmp_path / "web", breaks_after=3000) as (address, asked):
        with pytest.raises(OnboardError):
            sources.fetch(site, f"{address}/{one.name}")
        assert sources.fetch(site, f"{address}/{other.name}").read_bytes() == other.read_bytes()
    assert asked[-1] == (".tar", None)


@pytest.mark.parametrize(("path", "words"), [("nothing.tar", "the server says 404"), ("", "the server says 404")])
def test_what_the_server_says_is_said(site, tmp_path, path, words):
    with served(tmp_path) as (address, _), pytest.raises(OnboardError, match=words):
        sources.fetch(site, f"{address}/{path}")


def test_a_server_that_is_not_there_is_said(site):
    with pytest.raises(OnboardError, match="cannot be fetched"):
        sources.fetch(site, "http://127.0.0.1:9/platewatch.tar")


def test_what_is_no_release_by_its_size_is_not_taken(site, tmp_path, monkeypatch):
    packed = pack(tmp_path / "web", "1.0.1")
    monkeypatch.setattr(web, "MOST_ALL", 2000)
    with served(tmp_path / "web") as (address, _), pytest.raises(OnboardError, match="which no release is"):
        sources.fetch(site, f"{address}/{packed.name}")


def test_a_download_that_breaks_twice_goes_on_twice(site, tmp_path):
    """What is still to come is less than what is there by then; the second break must not pass for the end."""
    packed = pack(tmp_path / "web", "1.0.1", units=UNITS | {"units/large.service": "#" * 9000})
    raw, asked = packed.read_bytes(), []

    def answer(request):
        if request.path.endswith(archive.SUFFIX):
            sent(request, archive.beside(packed).read_bytes())
            return
        start = int((request.headers.get("Range") or "bytes=0-")[6:-1])
        asked.append(start)
        sent(request, raw[start:], 206 if start else 200, only={0: 3000, 3000: 9000}.get(start))

    with answering(answer) as address:
        for _ in range(2):
            with pytest.raises(OnboardError, match="the connection broke off; the same command goes on from there"):
                sources.fetch(site, f"{address}/{packed.name}")
        assert sources.fetch(site, f"{address}/{packed.name}").read_bytes() == raw
    assert asked == [0, 3000, 12000]


def test_the_signature_is_asked_for_before_the_question_mark(site, tmp_path):
    """As an address that somebody signed for an hour looks; what follows the mark is a token, and is not said."""
    packed = pack(tmp_path / "web", "1.0.1")

    def answer(request):
        path, _, token = request.path.partition("?")
        file = tmp_path / "web" / path.lstrip("/")
        sent(request, file.read_bytes()) if token == "token=hush" else request.send_error(403)

    said = []
    site = type(site)(site.layout, site.machine, site.step, said.append)
    with answering(answer) as address:
        assert sources.fetch(site, f"{address}/{packed.name}?token=hush").read_bytes() == packed.read_bytes()
        with pytest.raises(OnboardError, match=r"\.minisig: the server says 403") as refused:
            sources.fetch(site, f"{address}/{packed.name}?token=wrong")
    assert not [words for words in [*said, str(refused.value)] if "token" in words]


NONSENSE = {
    "no HTTP": b"SSH-2.0-dropbear\r\n\x1b[2J\r\n",
    "a header too long": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    "chunks that are none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
    "a size that is none": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc",
    "nothing": b"",
    "a redirection to another protocol": b"HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/x\r\nContent-Length: 0\r\n\r\n",
    "words that steer a terminal": b"HTTP/1.1 500 \x1b]0;mine\x07\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", NONSENSE)
def test_what_a_hostile_server_says_ends_in_one_sentence(site, name):
    said = pytest.raises(OnboardError, match=r"cannot be fetched|the server says 500")
    with answering(lambda request: request.wfile.write(NONSENSE[name])) as address, said as refused:
        sources.fetch(site, f"{address}/x.tar")
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://me:pass@gate.local/x.tar", "a name and password in an address are not handed on"),
        ("http://gate.local:99999/x.tar", "is no address"),
        ("http://[::1/x.tar", "is no address"),
        ("http:///x.tar", "names no host"),
        ("http://a b/x.tar", "names no host"),
    ],
)
def test_an_address_that_cannot_be_asked_for_is_said(site, address, words):
    with pytest.raises(OnboardError, match=words) as said:
        sources.fetch(site, address)
    assert "pass@" not in str(said.value)


def test_an_address_is_written_as_people_write_it():
    assert web.addresses("https://gate.local/neue Fassung/größer.tar") == (
        "https://gate.local/neue%20Fassung/gr%C3%B6%C3%9Fer.tar",
        "https://gate.local/neue%20Fassung/gr%C3%B6%C3%9Fer.tar.minisig",
    )


def test_a_clock_of_1970_is_named_where_a_certificate_is_not_believed(site, monkeypatch):
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "certificate is not yet valid"

    def refuse(*_, **__):
        raise urllib.error.URLError(error)

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", refuse)
    with pytest.raises(OnboardError, match=r"\(certificate is not yet valid\); the clock here says 2026-11-23.*wait until the network has set it"):
        sources.fetch(site, "https://gate.local/x.tar")


def test_a_server_that_never_comes_to_its_end_keeps_nobody_out_for_ever(site, tmp_path, monkeypatch):
    packed = pack(tmp_path / "web", "1.0.1")
    monkeypatch.setattr(web, "LONGEST_S", -1.0)
    with served(tmp_path / "web") as (address, _), pytest.raises(OnboardError, match="comes too slowly"):
        sources.fetch(site, f"{address}/{packed.name}")


def test_a_part_that_filled_the_disk_does_not_keep_it_full(site, tmp_path, monkeypatch):
    packed = pack(tmp_path / "web", "1.0.1")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    with served(tmp_path / "web") as (address, _):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
        try:
            with pytest.raises(OnboardError, match=r"spool/platewatch\.tar: the disk is full"):
                sources.fetch(site, f"{address}/{packed.name}")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert not (site.layout.spool / sources.NAME).exists()


def test_a_mark_that_is_damaged_is_another_address(site, tmp_path):
    packed = pack(tmp_path / "web", "1.0.1")
    site.layout.spool.mkdir(parents=True)
    (site.layout.spool / "address").write_bytes(b"\xff\xfe")
    with served(tmp_path / "web") as (address, _):
        assert sources.fetch(site, f"{address}/{packed.name}").read_bytes() == packed.read_bytes()


def test_on_a_stick_only_files_count_and_no_signature_is_larger_than_one(site, tmp_path):
    packed = pack(tmp_path / "stick", "1.0.1")
    os.mkfifo(tmp_path / "stick/platewatch-8.tar")
    (tmp_path / "stick/platewatch-9.tar").mkdir()
    for number in (8, 9):
        (tmp_path / f"stick/platewatch-{number}.tar.minisig").write_text("a pipe would be waited for, for ever")
    assert sources.newest(tmp_path / "stick") == packed
    archive.beside(packed).write_bytes(b"x" * 20_000)
    with pytest.raises(OnboardError, match=r"\.minisig: is 20 kB large, which no signature is"):
        sources.fetch(site, str(tmp_path / "stick"))


def test_a_stick_that_is_pulled_is_named(site, tmp_path):
    """Reading /proc/self/mem from its beginning is refused as a stick that is gone is: an input/output error."""
    (tmp_path / "x.tar").symlink_to("/proc/self/mem")
    (tmp_path / "x.tar.minisig").write_text("KEY")
    with pytest.raises(OSError, match="Input/output error") as error:
        sources.fetch(site, str(tmp_path / "x.tar"))
    assert str(disk.plainly(error.value)).startswith(f"{tmp_path / 'x.tar'}: cannot be read or written any more (Input/output error); the card or stick")


@contextmanager
def answering(answer):
    """A server on loopback whose every answer is `answer(handler)`'s. Yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def sent(request, raw, status=200, only=None):
    """The whole is announced, `only` so many bytes come."""
    request.send_response(status)
    request.send_header("Content-Length", str(len(raw)))
    request.end_headers()
    request.wfile.write(raw[:only])
