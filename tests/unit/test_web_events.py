"""Events, labels and unread plates on the page: found, told, corrected, taken away, deleted, by those who may."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from edge.config import Config
from edge.events.wanted import Wanted
from edge.evidence import Candidate, Evidence, KeptLook
from edge.gate.audit import Audit, Row
from edge.publish.settings import TargetConfig
from edge.records import Character, Match
from edge.status import utc_iso
from edge.store import Store
from edge.tracking.judge import jpeg
from edge.web import app as web
from edge.web.advice import advice
from edge.web.chart import chart, focus
from edge.web.daemon_files import DaemonFiles
from edge.web.story import decisions, marked, story, suggestions
from tests.builders import an_event
from tests.pages import PASSWORD, a_config, a_page, csrf, logged_in, the_access, token

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PICTURE = "20261123T110000000000-0001"
LOOKS = tuple(KeptLook(0.1 * at, text, 0.9, (0.9,) * 7, 0.5, 120.0, 0.8, 1.0, text == "AB12CDE") for at, text in enumerate(("AB12CDE", "A812CDE", "AB12CDE")))
EVIDENCE = Evidence(LOOKS, 3, "AB12CDE", ((), (Character("8", 0.3),), *((),) * 5), (Candidate("AB12CDE", 2, -0.1), Candidate("A812CDE", 1, -2.0)))


def a_crop() -> bytes:
    import numpy as np

    return jpeg(np.random.default_rng(0).integers(0, 255, (40, 160, 3)).astype(np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    family = Match("family", "allow", "AB12CDE", "Anna")
    with Store(tmp_path / "events.sqlite") as store:
        for number, text in enumerate(("AB12CDE", "XY34ZZZ", "A812CDE", "AB12CDE")):
            at = f"2026-11-2{number}T21:30:00.000+00:00"
            store.add(
                an_event(str(number), text, at, crop_jpeg=a_crop(), match=family if text == "AB12CDE" else None, evidence=EVIDENCE if number == 3 else None)
            )
        store.add_reason("too small", utc_iso(datetime.now(UTC)), 7)
    gallery = tmp_path / "run" / "unread"
    gallery.mkdir(parents=True)
    (gallery / f"{PICTURE}.jpg").write_bytes(a_crop())
    told = {"v": 1, "at": "2026-11-23T11:00:00.000+00:00", "camera": "gate", "reason": "too small", "crop": True, "width_px": 38.0, "text": "AB1", "frames": 3}
    (gallery / f"{PICTURE}.json").write_text(json.dumps(told))
    return tmp_path


@pytest.fixture
def admin(folder: Path) -> FlaskClient:
    return logged_in(a_page(folder))


@pytest.fixture
def viewer(folder: Path) -> FlaskClient:
    the_access(folder).add_user("vi", "viewer", PASSWORD)
    return logged_in(a_page(folder), "vi")


def ids(client: FlaskClient) -> str:
    return "".join(event["id"] for event in client.get("/api/events").json["events"])


def send(client: FlaskClient, method: str, path: str, body: Any = None) -> Any:
    return client.open(path, method=method, headers=csrf(client), **({} if body is None else {"json": body}))


# -- the chart, the story, the advice ---------------------------------------------------------------------------------------------------------------------


def test_days_are_those_of_the_viewers_clocks_and_lead_to_what_they_count(folder: Path) -> None:
    with Store(folder / "events.sqlite") as store:
        here = {bar.label: bar.count for bar in chart(store, Wanted(), {}, ZoneInfo("Europe/Berlin"), NOW).days if bar.count}
        far = {bar.label: bar.count for bar in chart(store, Wanted(), {}, ZoneInfo("Asia/Tokyo"), NOW).days if bar.count}
        one = chart(store, Wanted(), {"day": "2026-11-21"}, UTC, NOW)
    assert list(here) == ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]
    assert list(far) == ["2026-11-21", "2026-11-22", "2026-11-23"]  # the newest is of tomorrow there, which has not come
    assert [bar.label for bar in one.days if bar.chosen] == ["2026-11-21"]
    assert [(bar.start, bar.end) for bar in one.hours if bar.count] == [("2026-11-21T21:00", "2026-11-21T22:00")]


def test_the_chart_of_a_day_long_ago_shows_its_neighbours(folder: Path) -> None:
    with Store(folder / "events.sqlite") as store:
        shown = chart(store, Wanted(), {"day": "2026-11-21"}, UTC, NOW + timedelta(days=90))
    assert [bar.count for bar in shown.days if bar.label == "2026-11-21"] == [1]
    assert (len(shown.days), len(shown.hours)) == (31, 24)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({}, ("", None)),
        ({"day": "2026-11-21"}, ("2026-11-21", None)),
        ({"from": "2026-11-21T21:00", "to": "2026-11-21T22:00"}, ("2026-11-21", 21)),
        ({"from": "2026-11-21T23:00", "to": "2026-11-22T00:00"}, ("2026-11-21", 23)),
        ({"from": "2026-11-21", "to": "2026-11-22"}, ("2026-11-21", None)),
        ({"from": "2026-11-21", "to": "2026-11-23"}, ("", None)),
        ({"from": "2026-11-21T21:00", "to": "2026-11-22T20:00"}, ("", None)),
        ({"from": "2026-11-21T21:00+01:00", "to": "2026-11-21T22:00"}, ("", None)),
        ({"from": "nonsense", "to": "9999-99-99"}, ("", None)),
        ({"day": "nonsense"}, ("", None)),
    ],
)
def test_the_day_whose_hours_are_shown(arguments: dict[str, str], found: tuple[str, int | None]) -> None:
    assert focus(arguments) == found


@pytest.mark.parametrize(
    ("text", "against", "differs"),
    [("AB12", "AB12", ""), ("A812", "AB12", "8"), ("AB1", "AB12", ""), ("XAB12", "AB12", "X"), ("", "AB12", ""), ("ZZ", "AB12", "ZZ")],
)
def test_what_differs_is_marked(text: str, against: str, differs: str) -> None:
    found = marked(text, against)
    assert "".join(char for char, _ in found) == text
    assert "".join(char for char, is_other in found if is_other) == differs


def test_what_else_a_plate_may_say_is_offered_once_and_never_what_it_says_already() -> None:
    assert suggestions("AB12CDE", EVIDENCE) == ["A812CDE"]
    assert suggestions("AB12CDE", None) == []


def test_a_story_tells_the_gate_and_each_target(folder: Path) -> None:
    audit = Audit(folder / "gate.sqlite")
    audit.add(
        Row("2026-11-23T21:30:00+00:00", "gate", "3", "AB12CDE", "family", "Anna", 0.0, "approaching", 3, 0.9, True, True, "allowed", "it is on the list")
    )
    audit.add(Row("2026-11-23T21:31:00+00:00", "gate", "2", "A812CDE", "", "", None, "approaching", 3, 0.9, False, True, "unknown", "on no list"))
    audit.close()
    targets = [
        TargetConfig(name=name, kind="jsonl", path="x", lists=lists)
        for name, lists in (("all", "all"), ("strangers", "unknown"), ("late", "all"), ("no", "all"))
    ]
    with Store(folder / "events.sqlite") as store:
        with store.batch() as db:
            db.execute("CREATE TABLE outbox (target TEXT, event TEXT, stage TEXT, refused TEXT)")
            db.execute("INSERT INTO outbox VALUES ('late', '3', 'final', NULL), ('no', '3', 'final', 'it said 410')")
        found = story(store, "3", folder / "gate.sqlite", targets)
        assert story(store, "nothing", folder / "gate.sqlite", ()) is None
    assert found is not None
    assert [(one.opens, one.why) for one in found.gate] == [(True, "it is on the list")]
    assert {one.name: (one.state, one.reason) for one in found.targets} == {
        "all": ("done", ""), "strangers": ("unwanted", ""), "late": ("waiting", ""), "no": ("refused", "it said 410"),
    }  # fmt: skip
    assert (found.seen.times, found.evidence) == (1, EVIDENCE)


def test_an_audit_that_cannot_be_read_hides_no_event(tmp_path: Path) -> None:
    (tmp_path / "gate.sqlite").write_text("no database at all " * 100)
    assert decisions(tmp_path / "gate.sqlite", "1") == decisions(tmp_path / "none", "1") == ()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("told", "camera", "keys"),
    [
        ({"reason": "too small", "width_px": 38.0}, {}, ["too_small"]),
        ({"reason": "too small"}, {}, []),
        ({"reason": "blurred", "width_px": 120.0}, {"kind": "pi", "shutter_us": 16667}, ["shutter_long"]),
        ({"reason": "blurred", "width_px": 120.0}, {"kind": "pi", "shutter_us": 2000}, ["focus"]),
        ({"reason": "blurred", "width_px": 60.0}, {"kind": "pi", "shutter_us": 0}, ["shutter_auto", "narrow"]),
        ({"reason": "blurred", "width_px": 120.0}, {"kind": "opencv"}, ["shutter_elsewhere"]),
        ({"reason": "too few reads", "reads": 1, "frames": 2, "seconds": 0.2}, {}, ["few_looks", "few_frames"]),
        ({"reason": "too few reads", "reads": 1, "frames": 20, "seconds": 0.2}, {}, ["few_looks"]),
        ({"reason": "same pass"}, {}, []),
        ({"reason": "of a later version"}, {}, []),
        ({"reason": "too small", "width_px": "wide"}, {}, []),
    ],
)
def test_what_would_help_depends_on_what_was_measured(told: dict[str, Any], camera: dict[str, Any], keys: list[str]) -> None:
    config = Config()
    assert [key for key, _ in advice(told, config.model_copy(update={"camera": config.camera.model_copy(update=camera)}))] == keys


def test_advice_has_the_figures_in_it() -> None:
    config = Config()
    assert advice({"reason": "too small", "width_px": 38.0}, config) == [("too_small", {"width": 38, "wanted": 70, "factor": 1.8})]
    slow = config.model_copy(update={"camera": config.camera.model_copy(update={"kind": "pi", "shutter_us": 16_667})})
    assert advice({"reason": "blurred"}, slow) == [("shutter_long", {"now": 60, "freezes": 5, "wanted": 333, "speed": 30})]


@pytest.mark.parametrize("reason", ["too small", "blurred", "glare", "low detection", "too few reads", "reads disagree", "low confidence", "too short"])
@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_every_advice_is_a_sentence_in_every_language(folder: Path, admin: FlaskClient, reason: str, language: str) -> None:
    file = folder / "run" / "unread" / f"{PICTURE}.json"
    file.write_text(
        json.dumps(json.loads(file.read_text()) | {"reason": reason, "reads": 1, "agreeing": 1, "seconds": 0.5, "glare": 0.5, "confidence": 0.3, "score": 0.44})
    )
    (picture,) = admin.get("/api/unread", headers={"Accept-Language": language}).json["pictures"]
    assert picture["advice"]
    assert not any("{" in sentence for sentence in picture["advice"])


# -- taking away and deleting ------------------------------------------------------------------------------------------------------------------------------


def test_what_is_exported_is_what_was_filtered_and_stands_in_the_access_log(folder: Path, admin: FlaskClient) -> None:
    rows = list(csv.DictReader(io.StringIO(admin.get("/api/events.csv?text=AB12CDE&match=exact").text)))
    assert [row["id"] for row in rows] == ["3", "0"]
    assert [row["id"] for row in admin.get("/api/events.json?list=unknown").json] == ["2", "1"]
    assert admin.get("/api/events.json?camera=nowhere").json == []
    assert admin.get("/api/events.csv?camera=nowhere").text.count("\n") == 1
    assert admin.get("/api/events.csv?match=nonsense").status_code == 400
    with Store(folder / "events.sqlite") as store:
        done = [(who, did, events) for _, who, did, events in store.accesses() if did.startswith("exported")]
    assert done[-1] == ("admin (page)", "exported events", 2)
    assert len(done) == 4


def test_an_export_is_whole_however_many_pages_it_takes(folder: Path, admin: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.web.taking.AT_ONCE", 2)
    assert [row["id"] for row in admin.get("/api/events.json").json] == ["3", "2", "1", "0"]
    assert admin.get("/api/events.csv").text.count("\nid,") == 0
    assert len(list(csv.DictReader(io.StringIO(admin.get("/api/events.csv").text)))) == 4


def test_an_event_is_deleted_with_its_picture_and_label(folder: Path, admin: FlaskClient) -> None:
    send(admin, "PUT", "/api/labels/3", {"judgement": "confirmed"})
    assert send(admin, "DELETE", "/api/events/3").status_code == 204
    assert send(admin, "DELETE", "/api/events/3").status_code == admin.get("/crops/3.jpg").status_code == 404
    assert (ids(admin), admin.get("/api/labels").json["labels"]) == ("210", [])
    with Store(folder / "events.sqlite") as store:
        assert ("admin (page)", "deleted events", 1) in [row[1:] for row in store.accesses()]


def test_many_are_deleted_only_where_they_are_as_many_as_was_said(admin: FlaskClient) -> None:
    answer = send(admin, "POST", "/api/events/delete", {"filter": {"text": "AB12CDE"}, "expected": 3})
    assert (answer.status_code, ids(admin)) == (409, "3210")
    assert "There are 2 by now, not 3" in answer.json["error"]["message"]
    assert send(admin, "POST", "/api/events/delete", {"filter": {"text": "AB12CDE"}, "expected": 2}).json["deleted"] == 2
    assert send(admin, "POST", "/api/events/delete", {"ids": ["1", "1"], "expected": 1}).json["deleted"] == 1
    assert ids(admin) == "2"


@pytest.mark.parametrize(
    "body",
    [
        {"expected": 0},
        {"ids": ["1"], "filter": {}, "expected": 1},
        {"ids": ["x" * 300], "expected": 1},
        {"filter": {"limit": "1"}, "expected": 4},
        {"filter": {}},
    ],
)
def test_a_deletion_that_could_mean_two_things_is_refused(admin: FlaskClient, body: dict[str, Any]) -> None:
    assert send(admin, "POST", "/api/events/delete", body).status_code == 400
    assert ids(admin) == "3210"


def test_by_forms_alone_a_deletion_says_how_many_before(admin: FlaskClient) -> None:
    def post(**fields: Any) -> Any:
        return admin.post("/events/delete", data={"csrf": token(admin, "/events"), **fields})

    asked = post(ids=["0", "1"])
    assert "Delete 2 events?" in asked.text
    assert "cannot be undone" in asked.text
    assert ids(admin) == "3210"
    assert post().status_code == 400
    assert "No event is chosen" in post().text
    assert post(ids=["0", "1"], expected="3").status_code == 409
    assert post(ids=["0", "1"], expected="2").headers["Location"] == "/events?deleted=2"
    assert "2 events deleted." in admin.get("/events?deleted=2").text
    assert 'value="1">Delete 1 event<' in post(all="yes", text="AB12CDE", match="exact", ids="2").text
    assert post(all="yes", text="AB12CDE", expected="1").status_code == 303
    assert ids(admin) == "2"


def test_a_viewer_looks_and_no_more(viewer: FlaskClient) -> None:
    for path in (
        "/events",
        "/events/3",
        "/unread",
        "/corrections",
        "/api/events/3/story",
        "/api/histogram",
        "/api/unread",
        "/api/labels",
        "/api/labels/report",
    ):
        shown = viewer.get(path)
        assert shown.status_code == 200, path
        assert not re.search(r'action="/(events/delete|corrections/)|/api/(events\.|labels\.)', shown.text), path
    for path in ("/api/events.csv", "/api/events.json", "/api/labels.zip"):
        assert viewer.get(path).status_code == 403
    headers = csrf(viewer)
    assert viewer.post("/events/delete", data={"ids": "3"}, headers=headers).status_code == 403
    assert viewer.post("/corrections/3", data={"judgement": "confirmed"}, headers=headers).status_code == 403
    for method, path in (("DELETE", "/api/events/3"), ("POST", "/api/events/delete"), ("PUT", "/api/labels/3"), ("DELETE", "/api/labels/3")):
        assert viewer.open(path, method=method, json={}, headers=headers).status_code == 403
    assert ids(viewer) == "3210"


# -- labels ------------------------------------------------------------------------------------------------------------------------------------------------


def test_what_a_plate_says_is_put_right_and_taken_back(admin: FlaskClient) -> None:
    said = send(admin, "PUT", "/api/labels/2", {"judgement": "corrected", "text": "ab-12 cde"}).json
    assert (said["told"]["text"], said["read"], said["told"]["by"], said["right"]) == ("AB12CDE", "A812CDE", "admin", False)
    event = admin.get("/api/events/2").json
    assert (event["text"], event["text_corrected"]) == ("A812CDE", "AB12CDE")
    assert send(admin, "PUT", "/api/labels/0", {"judgement": "confirmed"}).json["right"] is True
    assert [one["event"] for one in admin.get("/api/labels?limit=1").json["labels"]] == ["0"]
    assert admin.get("/api/labels/report").json["total"]["right"] == 1
    assert send(admin, "DELETE", "/api/labels/2").status_code == 204
    assert send(admin, "DELETE", "/api/labels/2").status_code == 404


@pytest.mark.parametrize(
    ("id", "body", "code"),
    [
        ("9", {"judgement": "confirmed"}, 409),
        ("2", {"judgement": "corrected", "text": "--"}, 409),
        ("2", {"judgement": "perhaps"}, 400),
        ("2", {"judgement": "corrected", "text": "A" * 40}, 400),
        ("../../etc/passwd", {"judgement": "confirmed"}, 404),
    ],
)
def test_what_cannot_be_said_is_refused_in_a_sentence(admin: FlaskClient, id: str, body: dict[str, Any], code: int) -> None:
    answer = send(admin, "PUT", f"/api/labels/{id}", body)
    assert answer.status_code == code
    assert answer.json["error"]["message"]


def test_an_unread_picture_is_labelled_and_is_no_unread_one_to_training(folder: Path, admin: FlaskClient) -> None:
    (picture,) = admin.get("/api/unread").json["pictures"]
    assert picture["advice"] == ["38 px wide; about 70 are wanted: zoom in or move closer by a factor of 1.8."]
    assert send(admin, "PUT", f"/api/labels/{PICTURE}", {"judgement": "corrected", "text": "AB12CDE"}).json["origin"] == "unread"
    assert admin.get("/api/unread").json["pictures"][0]["label"]["text"] == "AB12CDE"
    (folder / "run" / "unread" / f"{PICTURE}.jpg").unlink()
    assert admin.get(f"/crops/unread/{PICTURE}.jpg").status_code == 404
    seq = admin.get("/api/labels").json["labels"][0]["seq"]
    assert admin.get(f"/crops/label/{seq}.jpg").mimetype == "image/jpeg"
    with zipfile.ZipFile(io.BytesIO(admin.get("/api/labels.zip").data)) as found:
        rows = [json.loads(line) for line in found.read("corrections/labels.jsonl").splitlines()]
    assert [row["plates"][0]["text"] for row in rows] == ["AB12CDE"]


def test_the_gallery_counts_by_reason_and_gives_nothing_but_its_own_files(folder: Path, admin: FlaskClient) -> None:
    found = admin.get("/api/unread").json
    assert [(one["reason"], one["count"], one["pictures"]) for one in found["reasons"]] == [("too small", 7, 1)]
    assert admin.get("/api/unread?reason=blurred").json["pictures"] == []
    assert admin.get(f"/crops/unread/{PICTURE}.jpg").status_code == 200
    (folder / "run" / "secret.jpg").write_bytes(b"x")
    for name in ("..%2Fsecret", "../secret", "secret", f"{PICTURE}.jpg%00"):
        assert admin.get(f"/crops/unread/{name}.jpg").status_code in (404, 308)
    (folder / "run" / "unread" / "20261123T110000000001-0002.json").write_text('{"v": 1, "reason": ["odd"], "width_px": "wide"}')
    (folder / "run" / "unread" / "20261123T110000000002-0003.json").write_text("[]")
    (folder / "run" / "unread" / "20261123T110000000003-0004.json").write_text(
        '{"v": 1, "reason": "glare", "text": "A1", "confidence": "much", "frames": null}'
    )
    assert len(admin.get("/api/unread").json["pictures"]) == 2
    assert admin.get("/unread").status_code == 200


def test_by_forms_alone_a_plate_is_corrected_and_one_is_led_back_and_nowhere_else(admin: FlaskClient) -> None:
    def post(id: str, **fields: str) -> Any:
        return admin.post(f"/corrections/{id}", data={"csrf": token(admin, "/events"), **fields})

    assert post("2", text="AB12CDE", next="/events/2").headers["Location"] == "/events/2"
    assert "AB12CDE" in admin.get("/api/labels").text
    assert post("2", pick="A8I2CDE", text="AB12CDE", next="https://evil.example/").headers["Location"] == "/corrections"
    assert admin.get("/api/labels").json["labels"][0]["told"]["text"] == "A8I2CDE"
    assert post("2", judgement="not a plate", next="//evil.example/").headers["Location"] == "/corrections"
    assert post("2", judgement="undo").status_code == 303
    assert admin.get("/api/labels").json["labels"] == []
    assert post("2", judgement="perhaps").status_code == 400
    assert post("2", text="!!").status_code == 409


def test_the_corrections_say_how_right_the_device_was_and_on_how_many_that_rests(admin: FlaskClient) -> None:
    assert "Nothing was corrected yet." in admin.get("/corrections").text
    for id in "013":
        send(admin, "PUT", f"/api/labels/{id}", {"judgement": "confirmed"})
    send(admin, "PUT", "/api/labels/2", {"judgement": "corrected", "text": "AB12CDE"})
    page = re.sub(r"\s+", " ", admin.get("/corrections").text)
    assert "3 of 4" in page
    assert "2 of at least 40" in page
    assert "python -m train finetune --from reader --data corrections --out runs/mine" in page
    assert "AB12CDE" in admin.get("/corrections?kind=corrected").text
    assert "XY34ZZZ" not in admin.get("/corrections?kind=corrected").text


# -- the list and the event ---------------------------------------------------------------------------------------------------------------------------------


def test_filters_are_shown_each_with_a_way_to_be_without_it(admin: FlaskClient) -> None:
    page = admin.get("/events?text=AB12&list=family&day=2026-11-23").text
    assert page.count('class="filter"') == 3
    assert 'href="/events?list=family&amp;day=2026-11-23"' in page
    assert "<b>1 event</b>" in page


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "x" * 200])
def test_a_zone_that_nobody_knows_costs_nothing(admin: FlaskClient, zone: str) -> None:
    admin.set_cookie("zone", zone, path="/events")
    assert admin.get("/events").status_code == 200


def test_an_event_shows_all_that_is_behind_it(admin: FlaskClient) -> None:
    page = re.sub(r"\s+", " ", admin.get("/events/3").text)
    assert "A<mark>8</mark>12CDE" in page.replace("</mark> ", "</mark>")
    assert 'name="pick" value="A812CDE"' in page
    assert 'data-place="1" data-char="8"' in page
    assert "family" in page
    assert "Anna" in page


def test_with_pseudonyms_nothing_can_be_labelled_and_the_page_says_why(folder: Path) -> None:
    config = a_config(folder)
    hidden = config.model_copy(update={"privacy": config.privacy.model_copy(update={"pseudonyms": True, "key_file": str(folder / "key")})})
    files = DaemonFiles(hidden)
    files.close()
    (folder / "key").write_bytes(b"k" * 32)
    client = logged_in(web.create_app(hidden))
    answer = send(client, "PUT", "/api/labels/3", {"judgement": "confirmed"})
    assert answer.status_code == 409
    assert "privacy.pseudonyms" in answer.json["error"]["message"]
