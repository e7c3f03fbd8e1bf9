"""An update over http or https. Nobody vouches for server and network: what comes is bounded in size and time, and proven by its signature alone."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import BinaryIO

from deploy.onboard import archive, disk
from deploy.onboard.errors import OnboardError
from deploy.onboard.signature import MOST_BYTES
from deploy.onboard.site import Site
from deploy.onboard.tarball import MOST_ALL

TIMEOUT_S = 30.0
LONGEST_S = 4 * 3600.0
"""A server that sends a byte now and then would keep every other update out."""
HANDLERS = (urllib.request.ProxyHandler, urllib.request.HTTPHandler, urllib.request.HTTPSHandler, urllib.request.HTTPRedirectHandler)
REFUSING = (urllib.request.HTTPDefaultErrorHandler, urllib.request.HTTPErrorProcessor, urllib.request.UnknownHandler)
"""No FTP: a redirection leads to http and https only."""


def download(site: Site, source: str, goal: Path) -> None:
    """Goes on where an earlier attempt at the same address was cut off; the signature tells whether the pieces belong together."""
    address, signed = addresses(source)
    mark = goal.with_name("address")
    if disk.contents(mark) != address.encode():
        disk.take_away(goal)
        site.write(mark, address, 0o600)
    site.say(f"Fetching {shown(address)}.")
    _get(site, signed, archive.beside(goal), MOST_BYTES, 0)
    _get(site, address, goal, MOST_ALL, goal.stat().st_size if goal.is_file() else 0)


def addresses(source: str) -> tuple[str, str]:
    """Of the archive and of its signature, as they go over the wire; raises OnboardError for one that cannot be asked for."""
    try:
        parts = urllib.parse.urlsplit(source)
        host, _ = parts.hostname, parts.port
        parts.netloc.encode("idna")
    except ValueError as error:
        raise OnboardError(f"{source.split('?')[0]}: is no address ({error}); it looks like https://host/folder/platewatch-1.0.tar") from None
    if not host or " " in parts.netloc:
        raise OnboardError(f"{source.split('?')[0]}: is no address, since it names no host; it looks like https://host/folder/platewatch-1.0.tar")
    if "@" in parts.netloc:
        raise OnboardError(f"{shown(source)}: a name and password in an address are not handed on; fetch archive and signature by hand and name the file")
    query = urllib.parse.quote(parts.query, safe="%/?:@!$&'()*+,;=~")
    paths = (urllib.parse.quote(parts.path + ending, safe="%/:@!$&'()*+,;=~") for ending in ("", archive.SUFFIX))
    archived, signed = (urllib.parse.urlunsplit((parts.scheme, parts.netloc, path, query, "")) for path in paths)
    return archived, signed


def shown(address: str) -> str:
    """For people and logs: without a name, a password and what follows a question mark, which may be a token."""
    parts = urllib.parse.urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _get(site: Site, address: str, goal: Path, most: int, have: int) -> None:
    """`have` bytes are there already; a server that cannot go on in the middle sends all of it."""
    name, until = shown(address), site.machine.now() + LONGEST_S
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    opener = urllib.request.OpenerDirector()
    for handler in (*HANDLERS, *REFUSING):
        opener.add_handler(handler())
    try:
        with contextlib.closing(opener.open(request, timeout=TIMEOUT_S)) as answer:
            have = have if answer.status == 206 else 0
            coming = int(answer.headers.get("Content-Length") or 0)
            whole = have + coming if coming else 0
            if whole > most:
                raise OnboardError(_too_large(name, most))
            archive.room_for(coming + archive.ROOM, goal.parent)
            with disk.in_words(goal):
                made = goal.open("ab" if have else "wb")
            with made:
                while piece := answer.read1(disk.CHUNK):
                    have += len(piece)
                    if have > most:
                        raise OnboardError(_too_large(name, most))
                    if site.machine.now() > until:
                        raise OnboardError(f"{name}: comes too slowly; the same command goes on from there, and a USB stick may be faster")
                    _put(made, piece, goal)
            if have < whole:
                raise OnboardError(f"{name}: the connection broke off; the same command goes on from there")
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:  # all of it was there
            return
        raise OnboardError(f"{name}: the server says {error.code} {_plain(error.reason)}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            words = f"the server's certificate is not believed ({_plain(reason.verify_message)}); the clock here says {site.machine.utc()}"
            raise OnboardError(f"{name}: {words}: where that is wrong wait until the network has set it, else bring the update on a stick") from None
        raise OnboardError(f"{name}: cannot be fetched ({_plain(reason)}); the same command goes on from there") from None


def _put(made: BinaryIO, piece: bytes, goal: Path) -> None:
    try:
        with disk.in_words(goal):
            made.write(piece)
            made.flush()
    except OnboardError:
        goal.unlink(missing_ok=True)  # a part to go on with is not worth a full disk
        raise


def _too_large(name: str, most: int) -> str:
    return f"{name}: is larger than {f'{most / 1e6:.0f} MB' if most > 1e6 else f'{most / 1000:.0f} kB'}, which no release is"


def _plain(said: object) -> str:
    """Of what a server sent, for a terminal: one line, nothing that steers it, not too much."""
    line = " ".join(str(said).split()) or type(said).__name__
    return "".join(char if char.isprintable() else "?" for char in line)[:160]
