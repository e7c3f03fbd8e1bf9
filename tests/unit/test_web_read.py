"""POST /api/read: what is a picture, who may send one, and what becomes of strange ones."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import cv2
import numpy as np
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.reading_apart import MOST_BYTES, ReadingApart
from edge.web import app as web
from edge.web.api.read import ReadAnswer
from edge.web.pictures import is_animated, kind_of
from tests.pages import HASHED, a_config, csrf, logged_in, the_access

SCENE = Path(__file__).parents[2] / "edge/clips/bench-1.jpg"
SMALL = cv2.resize(cv2.imread(str(SCENE)), (96, 64))
FLAT = {kind: bytes(cv2.imencode(f".{kind}", SMALL)[1]) for kind in ("jpg", "png", "webp")}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("read")
    (folder / "c.toml").write_text("")
    the_access(folder, HASHED).add_user("jo", "viewer", "long enough")
    found = web.create_app(a_config(folder), folder / "c.toml")
    yield found
    found.extensions["daemon_files"].close()
    if "reading" in found.extensions:
        found.extensions["reading"].close()


@pytest.fixture(scope="module")
def client(page: Any) -> FlaskClient:
    return logged_in(page)


def send(client: FlaskClient, picture: bytes, kind: str = "image/jpeg", query: str = "") -> Any:
    return client.post(f"/api/read{query}", data=picture, content_type=kind, headers=csrf(client))


def moving(kind: str) -> bytes:
    from PIL import Image

    frames, file = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")], io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    return file.getvalue()


@pytest.mark.parametrize("kind", ["image/jpeg", "application/octet-stream"])
def test_a_picture_is_read_with_all_that_the_models_know(client: FlaskClient, kind: str) -> None:
    answer = send(client, SCENE.read_bytes(), kind)
    assert answer.status_code == 200
    plate = ReadAnswer.model_validate(answer.json).plates[0]
    assert len(plate.text) == len(plate.characters) > 3
    assert len(plate.alternatives) == len(plate.raw_text)
    assert any(plate.alternatives)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_plate_already_cut_out_is_one(client: FlaskClient) -> None:
    (x0, y0, x1, y1) = (int(value) for value in send(client, SCENE.read_bytes()).json["plates"][0]["box"])
    crop = cv2.imread(str(SCENE))[y0 - 3 : y1 + 3, x0 - 3 : x1 + 3]
    assert len(send(client, bytes(cv2.imencode(".webp", crop)[1]), "image/webp", "?crop=true").json["plates"]) == 1


@pytest.mark.parametrize(
    ("picture", "kind", "code", "said"),
    [
        (b"", "image/png", 400, "is empty"),
        (b"hello", "image/jpeg", 415, "no JPEG, PNG or WebP"),
        (b"GIF89a" + b"x" * 90, "image/gif", 415, "no JPEG, PNG or WebP"),
        (b"<svg/>", "image/svg+xml", 415, "no JPEG, PNG or WebP"),
        (FLAT["jpg"], "multipart/form-data; boundary=x", 415, "Send the picture itself"),
        (FLAT["jpg"], "text/plain", 415, "Send the picture itself"),
        (FLAT["png"][:200], "image/png", 400, "cut short"),
        (b"\x89PNG\r\n\x1a\n", "image/png", 400, ""),
        (b"\xff\xd8\xff", "image/jpeg", 400, ""),
        (b"RIFF\xff\xff\xff\xffWEBP", "image/webp", 400, ""),
        (bytes(cv2.imencode(".png", np.zeros((9000, 9000), np.uint8))[1]), "image/png", 400, "More than 12.5 million pixels"),
        (bytes(cv2.imencode(".webp", np.zeros((4000, 4000, 3), np.uint8))[1]), "image/webp", 400, "More than 12.5 million pixels"),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else None,
)
def test_what_is_no_still_picture_of_reasonable_size_is_told_so(client: FlaskClient, picture: bytes, kind: str, code: int, said: str) -> None:
    answer = send(client, picture, kind)
    assert (answer.status_code, answer.json["error"]["status"]) == (code, code), answer.text
    assert said in answer.json["error"]["message"]
    assert "picture: " not in answer.text


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_animated_ones_are_refused(client: FlaskClient, kind: str) -> None:
    pytest.importorskip("PIL", reason="pillow is not installed")
    moves = moving(kind)
    assert (kind_of(moves), is_animated(moves), is_animated(FLAT[kind])) == (kind, True, False)
    assert "animated" in send(client, moves).json["error"]["message"]


def test_sixteen_megabytes_are_the_limit(client: FlaskClient) -> None:
    answer = client.post("/api/read", data=b"{", content_type="image/png", headers=csrf(client), environ_overrides={"CONTENT_LENGTH": str(MOST_BYTES + 1)})
    assert answer.status_code == 413


def test_while_one_is_read_others_are_asked_to_come_again(page: Any, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = Event(), Event()

    def wait(*_: Any) -> dict[str, Any]:
        begun.set()
        go_on.wait(10)
        return {"error": "picture: enough", "kind": "image"}

    monkeypatch.setattr(ReadingApart, "_ask", wait)
    first = Thread(target=send, args=(logged_in(page), FLAT["jpg"]))
    first.start()
    assert begun.wait(10)
    busy = send(client, FLAT["jpg"])
    go_on.set()
    first.join()
    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "2")
    assert send(client, FLAT["jpg"]).status_code == 400


def test_who_may_only_look_sends_none(page: Any) -> None:
    viewer = logged_in(page, "jo", "long enough")
    assert send(viewer, FLAT["jpg"]).status_code == 403
    assert page.test_client().post("/api/read", data=FLAT["jpg"]).status_code == 401
    access = page.extensions["door"].access
    for scopes, code in ((["image:read"], 200), (["status:read"], 403)):
        _, secret = access.new_token(scopes[0].replace(":", "-"), scopes, 1)
        answer = page.test_client().post("/api/read", data=FLAT["png"], content_type="image/png", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == code


def test_a_page_without_a_config_file_says_that_it_has_no_models(tmp_path: Path) -> None:
    answer = send(logged_in(web.create_app(a_config(tmp_path))), FLAT["jpg"])
    assert (answer.status_code, "without a config file" in answer.text) == (503, True)


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A picture with some of its bytes changed, doubled or left out."""
    data = bytearray(draw(st.sampled_from(list(FLAT.values()))))
    for _ in range(draw(st.integers(1, 6))):
        at, how = draw(st.integers(0, max(0, len(data) - 1))), draw(st.sampled_from(["change", "cut", "drop", "double", "insert"]))
        if how == "change" and data:
            data[at] = draw(st.integers(0, 255))
        elif how == "cut":
            del data[at:]
        elif how == "drop":
            del data[at : at + draw(st.integers(1, 64))]
        elif how == "double":
            data[at:at] = data[at : at + 64]
        else:
            data[at:at] = draw(st.binary(max_size=32))
    return bytes(data)


def test_whatever_is_sent_is_answered_and_breaks_nothing(client: FlaskClient) -> None:
    """`PLATEWATCH_FUZZ=5000` sends more."""
    processes = set()

    @settings(
        max_examples=int(os.environ.get("PLATEWATCH_FUZZ", "60")), derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(picture=broken(), query=st.sampled_from(["", "?crop=true"]))
    def act(picture: bytes, query: str) -> None:
        answer = send(client, picture, "image/png", query)
        assert answer.status_code in (200, 400, 415), answer.text
        assert answer.status_code == 200 or set(answer.json["error"]) == {"status", "message"}
        processes.add(client.application.extensions["reading"]._process.pid)

    assert send(client, FLAT["jpg"]).status_code == 200
    act()
    assert len(processes) == 1
