"""From the web: also where the connection breaks off in the middle."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploy.onboard import archive, sources
from deploy.onboard.errors import OnboardError
from tests.onboard import Device, pack


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
    monkeypatch.setattr(sources, "MOST_ALL", 2000)
    with served(tmp_path / "web") as (address, _), pytest.raises(OnboardError, match="which no release is"):
        sources.fetch(site, f"{address}/{packed.name}")
