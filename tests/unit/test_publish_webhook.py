"""Webhooks, to a real server on the loopback that does what servers do."""

from __future__ import annotations

import json
import socket
import threading
import time
from email.message import Message
from email.parser import BytesParser
from typing import Any

import pytest

from edge.publish.base import PublishError, Refused, Stumbled, Unreachable
from edge.publish.settings import TargetConfig
from edge.publish.signature import HEADER, is_signed, sign
from edge.publish.told import Site, Told
from edge.publish.webhook import Webhook, multipart, retry_after_s
from tests.builders import an_event
from tests.receivers import Receiver, dripping, free_port, raw, status

NOW = 1_795_381_201.0


def told(picture: bytes = b"", picture_file: str = "") -> Told:
    return Told(an_event("1").as_json(), Site(version="0.2.0"), picture, picture_file, "a")


def hook(url: str, **changes: Any) -> Webhook:
    return Webhook(TargetConfig(name="a", kind="webhook", url=url, **({"timeout_s": 0.5} | changes)), unix_s=lambda: NOW, environment={"KEY": "s3cret"})


def test_an_event_is_posted_with_its_id() -> None:
    """JSON, an idempotency key that is the same for every try, and the owner's headers."""
    with Receiver() as receiver:
        target = hook(receiver.url, headers={"X-Api-Key": "env:KEY"})
        target.send(told())
        target.send(told())
    (headers, body), (again, _) = receiver.got
    assert json.loads(body) == an_event("1").as_json() | {"stage": "final"}
    assert (headers["Content-Type"], headers["X-Api-Key"], headers["User-Agent"]) == ("application/json", "s3cret", "platewatch/0.2.0")
    assert headers["Idempotency-Key"] == again["Idempotency-Key"] == "1-final"
    assert HEADER not in headers


def test_a_signed_event_can_be_checked() -> None:
    """The receiver's check passes for this body and this minute, and for nothing else."""
    with Receiver() as receiver:
        hook(receiver.url, secret="env:KEY").send(told())
    ((headers, body),) = receiver.got
    assert is_signed(body, headers[HEADER], "s3cret", NOW + 299)
    assert not is_signed(body + b" ", headers[HEADER], "s3cret", NOW)
    assert not is_signed(body, headers[HEADER], "other", NOW)
    assert not is_signed(body, headers[HEADER], "s3cret", NOW + 301)
    assert not is_signed(body, "", "s3cret", NOW)
    assert not is_signed(body, headers[HEADER].replace("t=", "t=9"), "s3cret", NOW)


def test_the_signature_is_that_of_the_standard_tools() -> None:
    """printf '1.{}' | openssl dgst -sha256 -hmac key"""
    assert sign(b"{}", "key", 1) == "t=1,v1=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224"


def test_plate_recognizer_gets_two_parts() -> None:
    """`json` and `upload`, as its receivers expect them; JSON alone without a picture."""
    with Receiver() as receiver:
        target = hook(receiver.url, dialect="platerecognizer", picture="base64")
        target.send(told(b"\xff\xd8 a \r\n--jpeg"))
        target.send(told())
    (headers, body), (bare, _) = receiver.got
    form = BytesParser().parsebytes(f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body)
    parts: dict[Any, Message] = {part.get_param("name", header="Content-Disposition"): part for part in form.get_payload()}  # type: ignore[union-attr, misc]
    assert list(parts) == ["json", "upload"]
    assert json.loads(parts["json"].get_payload(decode=True))["data"]["results"][0]["plate"] == "ab12cde"  # type: ignore[arg-type]
    assert parts["upload"].get_filename() == "1-final.jpg"
    assert body.split(b"image/jpeg\r\n\r\n")[1].startswith(b"\xff\xd8 a \r\n--jpeg\r\n--")
    assert bare["Content-Type"] == "application/json"
    assert multipart(b"{}", b"x", "upload", "a.jpg") == multipart(b"{}", b"x", "upload", "a.jpg")


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (status(200), None, ""),
        (status(202), None, ""),
        (status(500), Stumbled, "it answers 500 Internal Server Error"),
        (status(503), Unreachable, "it answers 503"),
        (status(502), Unreachable, "it answers 502"),
        (status(507), Stumbled, "it answers 507"),
        (status(422), Refused, "it answers 422"),
        (status(408), Unreachable, "it answers 408"),
        (status(429, Retry_After="7"), Unreachable, "it answers 429"),
        (status(400), Refused, "it answers 400 Bad Request"),
        (status(401), Stumbled, "it answers 401"),
        (status(410), Stumbled, "it answers 410"),
        (status(302, Location="http://127.0.0.1:1/elsewhere"), Stumbled, "redirects are not followed"),
        (status(307, Location="/other"), Stumbled, "redirects are not followed"),
        (raw(b"SSH-2.0-garbage\r\n"), Stumbled, "its answer is not HTTP"),
        (raw(b"HTTP/1.1 abc def\r\n\r\n"), Stumbled, "its answer is not HTTP"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 70_000 + b"\r\n\r\n"), Stumbled, "its answer is not HTTP"),
        (raw(b""), Stumbled, ""),
        (raw(b"", then_wait_s=2.0), Stumbled, "no answer within 0.5 s"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", then_wait_s=2.0), Stumbled, "no answer within 0.5 s"),
        (dripping(3.0), Stumbled, "no answer within 0.5 s"),
    ],
)
def test_every_answer_has_its_meaning(answer: Any, error: type[Exception] | None, words: str) -> None:
    """Taken, not now, or refused; within the time, however the other side drips; and exactly one request."""
    with Receiver(script=[answer]) as receiver:
        target, began = hook(receiver.url), time.monotonic()
        if error is None:
            target.send(told())
        else:
            with pytest.raises(error) as caught:
                target.send(told())
            assert words in str(caught.value)
            assert type(caught.value) is error
            assert "AB12CDE" not in str(caught.value)
            assert "/hook" not in str(caught.value)
        assert time.monotonic() - began < 1.5
    assert len(receiver.got) == 1


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    """A hundred megabytes for an answer: the first 64 KiB will do, and the event counts as taken."""
    with Receiver(script=[raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 1_000_000)]) as receiver:
        hook(receiver.url).send(told())


def test_who_is_not_there_is_unreachable() -> None:
    """Nobody listens; no such host."""
    with pytest.raises(Unreachable, match=r"cannot be reached \(Connection refused\)"):
        hook(f"http://127.0.0.1:{free_port()}/").send(told())
    with pytest.raises(Unreachable, match="cannot be reached"):
        hook("http://nowhere.invalid/").send(told())


def test_a_tls_server_must_be_one() -> None:
    """https to a server without TLS."""
    with Receiver() as receiver, pytest.raises(Unreachable):
        hook(receiver.url.replace("http:", "https:")).send(told())


def test_closing_ends_a_wait() -> None:
    """The daemon stops while a server hangs: within a moment, not after the timeout."""
    with Receiver(script=[raw(b"", then_wait_s=5.0)]) as receiver:
        target, ended = hook(receiver.url, timeout_s=30.0), list[Any]()

        def send() -> None:
            try:
                target.send(told())
            except PublishError as error:
                ended.append(error)

        thread = threading.Thread(target=send)
        thread.start()
        while not receiver.got:
            time.sleep(0.01)
        target.close()
        thread.join(2.0)
        assert not thread.is_alive()
        assert isinstance(ended[0], Unreachable)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("999999", 3600),
        ("9" * 500, 3600),
        ("Sun, 22 Nov 2026 21:00:31 GMT", 30),
        ("Sun, 22 Nov 2020 21:00:31 GMT", 0),
        ("soon", 0),
        ("", 0),
        ("-5", 0),
    ],
)
def test_retry_after_is_understood_and_bounded(value: str, seconds: float) -> None:
    """A number, a date, or nothing sensible; at most an hour."""
    assert retry_after_s(value, NOW) == seconds


def test_retry_after_reaches_the_courier() -> None:
    with Receiver(script=[status(429, Retry_After="7")]) as receiver, pytest.raises(Unreachable) as caught:
        hook(receiver.url).send(told())
    assert caught.value.retry_after_s == 7


def test_an_address_with_six_groups_is_reached() -> None:
    """http://[::1]:port/"""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with pytest.raises(Unreachable):
        hook(f"http://[::1]:{free_port()}/").send(told())
