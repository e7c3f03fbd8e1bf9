"""In which language a request is answered: `?lang=` (which a cookie then keeps), the cookie, what the browser asks for, else English."""

from __future__ import annotations

from urllib.parse import quote

from flask import Flask, Response, g, request
from werkzeug.datastructures import MultiDict

from edge.web import words
from edge.web.language import ENGLISH, LANGUAGES, Language

COOKIE = "language"
YEAR_S = 365 * 24 * 3600


def install(app: Flask) -> None:
    """Templates say `t("room.key", count=3)`; numbers and times are filters."""
    app.context_processor(lambda: {"language": spoken(), "languages": LANGUAGES.values()})
    app.add_template_global(t)
    app.add_template_global(in_language)
    app.add_template_filter(lambda share: spoken().percent(share), "percent")
    app.add_template_filter(lambda value, digits=0: spoken().number(value or 0, digits), "number")
    app.add_template_filter(lambda count: spoken().size(count), "size")
    app.add_template_filter(lambda iso: spoken().moment(iso), "moment")
    app.add_template_filter(lambda value: words.figure(value, spoken()), "figure")
    app.add_template_global(lambda text, characters: words.spoken(text, characters, spoken()), "spoken")
    app.after_request(keep)


def spoken() -> Language:
    """The language of this request."""
    found = g.get("language")
    if not isinstance(found, Language):
        found = g.language = _chosen() or _asked_for() or ENGLISH
    return found


def _chosen() -> Language | None:
    return LANGUAGES.get(request.args.get("lang", "")) or LANGUAGES.get(request.cookies.get(COOKIE, ""))


def _asked_for() -> Language | None:
    """The first of the browser's languages that the page speaks: an Austrian's `de-AT` is German."""
    return next((found for tag, _ in request.accept_languages if (found := LANGUAGES.get(tag.partition("-")[0].lower()))), None)


def t(key: str, /, **values: object) -> str:
    """A phrase in the language of this request."""
    return spoken()(key, **values)


def in_language(code: str) -> str:
    """This very page, in another language."""
    asked = MultiDict(request.args)
    asked["lang"] = code
    path = "/" + quote(request.path.lstrip("/")) if request.method == "GET" else "/"  # `//name` would lead to another machine
    return f"{path}?{'&'.join(f'{_quoted(name)}={_quoted(value)}' for name, value in asked.items(multi=True))}"


def _quoted(text: str) -> str:
    return quote(text, safe="")


def keep(response: Response) -> Response:
    """What was chosen by `?lang=` holds for the next pages too."""
    if request.args.get("lang") in LANGUAGES:
        response.set_cookie(COOKIE, request.args["lang"], max_age=YEAR_S, samesite="Lax", httponly=True)
    return response
