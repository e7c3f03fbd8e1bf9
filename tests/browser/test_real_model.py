"""Another model and a restart, chosen on the real page and done by the real daemon, which a stand-in for systemd starts again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from edge.safe import RESTART_CODE
from tests.browser.owner import SLOW_MS, Owner
from tests.browser.yard import Yard
from tests.unit.test_depot import bundle, zipped

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

NEW = "night-reader"


@pytest.fixture(scope="module")
def yard(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with Yard(tmp_path_factory.mktemp("yard"), supervised=True) as found:
        yield found


@pytest.fixture
def owner(browser: Any, yard: Yard) -> Iterator[Owner]:
    found = Owner(browser, yard)
    found.log_in()
    yield found
    found.leave()


def reader(yard: Yard) -> dict[str, Any]:
    """What the daemon says of the one in use."""
    return dict((yard.told().get("bundles") or {}).get("reader") or {})


def finals(yard: Yard) -> list[Any]:
    return [one for one in yard.events() if not one.preview]


def upload(owner: Owner, name: str, content: bytes) -> Any:
    """The part of the page that says how it went."""
    (owner.yard.folder / name).write_bytes(content)
    page = owner.at("/model")
    page.locator("input[type=file]").set_input_files(owner.yard.folder / name)
    page.get_by_role("button", name="Upload", exact=True).click()
    return page.locator("[data-part=arrival]")


def test_a_reader_is_uploaded_compared_tried_adopted_and_taken_back(owner: Owner) -> None:
    """The daemon goes on reading plates all the while, and is never started anew."""
    yard, page = owner.yard, owner.page
    daemon, shipped = yard.daemon.pid, reader(yard)["name"]
    yard.until(lambda: len(finals(yard)) >= 2)

    arrival = upload(owner, "night.zip", zipped(bundle(name=NEW)))
    expect(arrival).to_contain_text("It is here and may be used", timeout=SLOW_MS)
    expect(arrival.locator(".badge.good")).to_have_count(3)
    owner.hold()
    assert reader(yard)["name"] == shipped  # nothing changes until it is chosen

    page.get_by_label("The one").select_option("reader")
    page.get_by_label("The other").select_option(NEW)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("[data-part=comparison]")).to_contain_text("alike", timeout=SLOW_MS)  # as it must be: the same network

    page.get_by_role("button", name=f"Use {NEW}").first.click()
    expect(page.locator("main .notice.good").first).to_be_visible(timeout=SLOW_MS)
    yard.until(lambda: reader(yard)["name"] == NEW)
    assert yard.config.read_text().count(NEW) == 1
    owner.hold()

    yard.until(lambda: f"{NEW} keeps its seat" in yard.log())  # the trial is over
    known = {one.id for one in finals(yard)}
    yard.until(lambda: {one.id for one in finals(yard)} - known)
    page = owner.at("/model")
    expect(page.locator("section", has=page.locator("#reader"))).to_contain_text(NEW)
    expect(page.locator("section", has=page.locator("#reader")).locator("header .badge.good")).to_have_text("In use")

    page.get_by_role("button", name="Roll back").click()
    expect(page.locator("main .notice.good").first).to_be_visible(timeout=SLOW_MS)
    yard.until(lambda: reader(yard)["name"] == shipped)
    expect(page.get_by_role("button", name=f"Use {NEW}").first).to_be_visible()
    owner.hold()
    assert yard.daemon.pid == daemon


def test_a_spoilt_bundle_is_refused_in_a_sentence_and_changes_nothing(owner: Owner) -> None:
    """What cannot be used is refused at the upload; what computes something else than it says, by the daemon when it is chosen."""
    yard, before = owner.yard, reader(owner.yard)
    whole = bundle(name="spoilt-reader")
    for name, content, says in (
        ("cut.zip", zipped(whole | {"model.tflite": whole["model.tflite"][:-1000]}), "copy the whole bundle again"),
        ("none.zip", b"no archive at all", "none.zip"),
    ):
        arrival = upload(owner, name, content)
        expect(arrival.locator(".notice")).to_contain_text(says, timeout=SLOW_MS)
        expect(arrival.locator(".badge.bad")).to_have_count(1)
        owner.hold()
    assert owner.page.get_by_role("button", name="Use spoilt-reader").count() == 0

    page, written = owner.page, yard.config.read_text()
    expect(upload(owner, "lies.zip", zipped(bundle(name="lying-reader", golden="0" * 64)))).to_contain_text("It is here", timeout=SLOW_MS)
    page.get_by_role("button", name="Use lying-reader").first.click()
    expect(page.locator("main .notice", has_text="something else than its manifest says").first).to_be_visible(timeout=SLOW_MS)
    owner.hold()
    assert yard.config.read_text() == written
    assert {key: reader(yard)[key] for key in ("name", "sha256", "since")} == {key: before[key] for key in ("name", "sha256", "since")}


def test_the_daemon_is_restarted_from_the_page_and_reads_on(owner: Owner) -> None:
    yard, before, ends = owner.yard, owner.yard.daemon.pid, list(owner.yard.ends)
    page = owner.at("/health")
    page.get_by_role("button", name="Restart the daemon").click()
    page.get_by_role("dialog").get_by_role("button", name="Restart the daemon").click()
    expect(page.locator("main .notice.good").first).to_be_visible(timeout=SLOW_MS)
    yard.until(lambda: yard.daemon.pid != before and yard.is_watching())
    assert yard.ends == [*ends, RESTART_CODE]
    assert yard.notified.count("STOPPING=1") == len(yard.ends)
    assert yard.notified.count("READY=1") == len(yard.ends) + 1
    known = {one.id for one in finals(yard)}
    yard.until(lambda: {one.id for one in finals(yard)} - known)
    page.goto("/")
    expect(page.locator("[data-state] h1")).to_have_text("Watching", timeout=SLOW_MS)
    owner.complaints[:] = [said for said in owner.complaints if "503" not in said]  # of the live picture while there was none
    assert "Traceback" not in yard.log()
