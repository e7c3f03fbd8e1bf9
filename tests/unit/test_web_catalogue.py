"""Every word of the page stands in the catalogue, in all languages, and every word of the catalogue on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, render_template_string

from edge.config import Config
from edge.web import phrases, speech
from edge.web.app import create_app
from edge.web.language import LANGUAGES
from edge.web.rooms import ROOMS

WEB = Path(phrases.__file__).parent
STEMS = "|".join(sorted(file.stem for file in phrases.FOLDER.glob("*.toml")))
LITERAL = re.compile(rf"""["'`]((?:{STEMS})\.[a-z0-9_.]*)(\$?\{{|["'`]\s*~)?""")
"""A key, or, where something follows, the beginning of one."""
CALL = re.compile(rf"""\b(?:t|language|self|named)\(\s*f?["'`]((?:{STEMS})\.[a-z0-9_.]*)(\{{|["'`]\s*~)?""")
FILES = (".html", ".js", ".css", ".svg", ".jpg", ".toml")
NAMES = {"Platewatch", "JSON"}
"""What is said alike in all languages."""
FOR_PROGRAMMERS = {"templates/api.html"}
"""Reference in English, as that which it is made of."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("device")
    config = Config()
    paths = {"store": config.store.model_copy(update={"path": str(folder / "events.sqlite")})}
    app = create_app(config.model_copy(update=paths | {"runtime": config.runtime.model_copy(update={"directory": str(folder)})}))
    yield app
    app.extensions["daemon_files"].close()


def sources(*suffixes: str) -> Iterator[tuple[str, str]]:
    for file in sorted(WEB.rglob("*")):
        if file.suffix in suffixes:
            yield file.relative_to(WEB).as_posix(), file.read_text(encoding="utf-8")


def is_beginning(key: str, follows: str) -> bool:
    return bool(follows) or key.endswith((".", "_"))


def test_every_phrase_speaks_every_language_with_the_same_gaps() -> None:
    """`catalogue()` refuses anything else."""
    assert len(phrases.catalogue()) > 100


@pytest.mark.parametrize(
    ("phrase", "says"),
    [
        ({"en": "a", "de": "a", "fr": "a"}, "es is missing"),
        ({"en": "a", "de": "a", "fr": "a", "es": "a", "it": "a"}, "it is missing or unknown"),
        ({"en": "{a}", "de": "{a}", "fr": "{b}", "es": "{a}"}, "fr has other gaps"),
        ({"en": "a", "de": "a", "fr": "a", "es": ""}, "es has the forms"),
        ({"en": {"one": "a", "other": "{count}"}, "de": {"one": "a"}, "fr": "{count}", "es": "{count}"}, "de has the forms"),
        ({"en": {"one": "a", "other": "{count}"}, "de": "viele", "fr": "{count}", "es": "{count}"}, "de says no"),
        ({"en": {"one": "a", "two": "b", "other": "c"}, "de": "c", "fr": "c", "es": "c"}, "en has the forms"),
    ],
)
def test_a_phrase_that_is_badly_written_is_named(phrase: dict[str, object], says: str) -> None:
    with pytest.raises(phrases.CatalogueError, match=f"^room.key: .*{says}"):
        phrases.checked("room.key", phrase)


def test_no_key_is_unknown(app: Flask) -> None:
    found = [(file, *hit) for file, text in sources(".html", ".svg", ".js") for hit in LITERAL.findall(text)]
    found += [(file, *hit) for file, text in sources(".py") for hit in CALL.findall(text)]
    assert len(found) > 50
    keys = phrases.catalogue()
    for file, key, follows in found:
        if key in app.view_functions or key.endswith(FILES):
            continue
        known = any(other.startswith(key) for other in keys) if is_beginning(key, follows) else key in keys
        assert known, f"{file}: the catalogue has no {key}"


def test_every_room_has_a_name_and_no_key_is_unused() -> None:
    hits = [hit for _, text in sources(".html", ".svg", ".js", ".py") for hit in LITERAL.findall(text)]
    exact = {key for key, follows in hits if not is_beginning(key, follows)} | {f"{room.name}.nav" for room in ROOMS}
    beginnings = tuple(key for key, follows in hits if is_beginning(key, follows) and not key.endswith(".script.") and key.count(".") + key.count("_") > 0)
    assert {f"{room.name}.nav" for room in ROOMS} <= set(phrases.catalogue())
    assert [key for key in phrases.catalogue() if key not in exact and not key.startswith(beginnings)] == []


def test_no_script_says_what_its_page_does_not_hand_it() -> None:
    """A script is given the phrases below `script` of common.toml and of its own room's file."""
    for file, text in sources(".js"):
        for key, _ in LITERAL.findall(text):
            assert key.startswith(("common.script.", f"{Path(file).stem}.script.")), f"{file}: {key}"


def test_a_script_fills_every_gap() -> None:
    """Where key and values stand side by side."""
    seen = 0
    for file, text in sources(".js"):
        for key, values in re.findall(rf"\bt\('((?:{STEMS})\.[a-z0-9_.]+)'(?:, {{(.*?)}})?\)", text):
            given = set(re.findall(r"(\w+)(?=:|,|\s*$)", values))
            seen += 1
            assert phrases.gaps(phrases.catalogue()[key]["en"]["other"]) <= given, f"{file}: {key}"
    assert seen > 5


def test_no_word_stands_in_a_template_itself() -> None:
    for file, text in sources(".html", ".svg"):
        if file in FOR_PROGRAMMERS:
            continue
        bare = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", text, flags=re.DOTALL)
        said = re.findall(r"(?:alt|title|placeholder|aria-label)=\"([^\"]*[A-Za-z]{2}[^\"]*)\"", bare)
        said += re.findall(r"[A-Za-z]{3,}", re.sub(r"<[^>]*>|&[a-z]+;", " ", bare))
        assert set(said) <= NAMES, f"{file}: {sorted(set(said) - NAMES)}"


def test_no_sentence_stands_in_a_script() -> None:
    for file, text in sources(".js"):
        code = re.sub(r"(?m)(^|\s)//.*$", "", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
        assert re.findall(r"""['"`][A-Z][a-z]+ [a-z][^'"`]*['"`]""", code) == [], file


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 0, "0 days ago"),
        ("en", 1, "1 day ago"),
        ("fr", 0, "il y a 0 jour"),
        ("fr", 2, "il y a 2 jours"),
        ("de", 1, "vor 1 Tag"),
        ("es", 12345, "hace 12.345 días"),
    ],
)
def test_each_language_has_its_own_plural(language: str, count: int, said: str) -> None:
    assert LANGUAGES[language]("common.script.ago.days", count=count) == said


def test_a_form_of_its_own_for_nothing() -> None:
    assert LANGUAGES["de"]("daemon.machine.threads", count=0) == "Threads für dieses Gerät gewählt"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["1,234", "12,345.7", "-0.3", "0", "99 %", "100 %", "12.3 MB", "999 B", "100 GB"]),
        ("de", ["1.234", "12.345,7", "-0,3", "0", "99 %", "100 %", "12,3 MB", "999 B", "100 GB"]),
        ("fr", ["1 234", "12 345,7", "-0,3", "0", "99 %", "100 %", "12,3 MB", "999 B", "100 GB"]),
        ("es", ["1234", "12.345,7", "-0,3", "0", "99 %", "100 %", "12,3 MB", "999 B", "100 GB"]),
    ],
)
def test_numbers_follow_the_language(language: str, said: list[str]) -> None:
    speak = LANGUAGES[language]
    found = [speak.number(1234), speak.number(12345.65, 1), speak.number(-0.25, 1), speak.number(-0.2), speak.percent(0.999), speak.percent(1)]
    found += [speak.size(12_345_678), speak.size(999), speak.size(100e9)]
    assert [re.sub(r"\s", " ", text) for text in found] == said


def test_what_is_missing_is_named() -> None:
    with pytest.raises(phrases.CatalogueError, match=r"no live\.nothing"):
        LANGUAGES["en"]("live.nothing")
    with pytest.raises(phrases.CatalogueError, match=r"events\.none_match needs text"):
        LANGUAGES["en"]("events.none_match")


def test_what_stands_in_a_phrase_is_text_and_never_markup(app: Flask) -> None:
    with app.test_request_context("/?lang=de"):
        shown = render_template_string('{{ t("events.none_match", text="<b>{count}</b>") }}')
    assert shown == "Kein Kennzeichen passt zu &lt;b&gt;{count}&lt;/b&gt;."


@pytest.mark.parametrize(
    ("query", "cookie", "accepts", "language"),
    [
        ("", "", "", "en"),
        ("", "", "it, pl;q=0.8", "en"),
        ("", "", "de-AT, en;q=0.5", "de"),
        ("", "fr", "de", "fr"),
        ("?lang=es", "fr", "de", "es"),
        ("?lang=xx", "yy", "de", "de"),
    ],
)
def test_the_language_is_that_of_the_address_then_the_cookie_then_the_browser(app: Flask, query: str, cookie: str, accepts: str, language: str) -> None:
    client = app.test_client()
    if cookie:
        client.set_cookie(speech.COOKIE, cookie)
    answer = client.get(f"/events{query}", headers={"Accept-Language": accepts} if accepts else {})
    assert f'<html lang="{language}">' in answer.text
    assert (speech.COOKIE in answer.headers.get("Set-Cookie", "")) == (query == "?lang=es")


def test_the_choice_of_a_language_never_leads_to_another_machine(app: Flask) -> None:
    with app.test_request_context(environ_overrides={"PATH_INFO": '//evil.example/">'}):
        assert speech.in_language("de") == "/evil.example/%22%3E?lang=de"


def test_another_language_is_the_same_page_with_the_same_question(app: Flask) -> None:
    page = app.test_client().get("/events?text=A%26B&match=prefix").text
    assert 'href="/events?text=A%26B&amp;match=prefix&amp;lang=fr"' in page
