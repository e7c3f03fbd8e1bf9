"""What an attacker would try, and that it fails. Those that need sockets run against the real server on a free port of this machine."""

from __future__ import annotations

import json
import resource
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
from flask import abort
from flask.testing import FlaskClient

from edge.store import Store
from edge.web import app as web
from edge.web import headers, scopes
from edge.web.front import Limits
from edge.web.server import Server
from tests.builders import an_event
from tests.pages import PASSWORD, a_config, a_page, csrf, log_in, logged_in, token

GIGABYTE = 2**30
PATIENCE_S = 60.0


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    """Logged in, at a page that others can reach."""
    return logged_in(a_page(tmp_path))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A page that runs; its limits of time are short, so that a test need not wait."""
    found, app = web.make_server(a_config(tmp_path, host="127.0.0.1", port=0))
    found.room.limits = Limits(connections=40, of_one=30, header_s=0.5, idle_s=1.0)
    thread = Thread(target=found.run)
    thread.start()
    yield found
    web.close(found, app)
    thread.join(10)


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.effective_port), timeout=PATIENCE_S)


def say(server: Server, words: bytes, then: bytes = b"") -> bytes:
    """Everything that comes back until the other side has enough."""
    with connect(server) as line:
        line.sendall(words)
        if then:
            line.sendall(then)
        found = b""
        try:
            while more := line.recv(65536):
                found += more
        except (ConnectionResetError, TimeoutError):
            pass
        return found


def code_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def head(path: str, method: str = "GET", **fields: str) -> bytes:
    told = {"Host": "127.0.0.1", "Connection": "close", **{name.replace("_", "-"): value for name, value in fields.items()}}
    return "".join((f"{method} {path} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in told.items()), "\r\n")).encode("latin-1")


def test_a_cookie_stolen_before_the_log_out_opens_nothing_after_it(client: FlaskClient) -> None:
    thief = client.application.test_client()
    stolen = client.get_cookie("platewatch")
    assert stolen is not None
    thief.set_cookie("platewatch", stolen.value)
    assert thief.get("/api/me").status_code == 200
    assert client.post("/logout", data={"csrf": token(client, "/")}).status_code == 303
    assert thief.get("/api/me").status_code == 401


def test_a_cookie_in_another_kind_of_browser_is_worth_nothing_and_ends_the_session(tmp_path: Path) -> None:
    client = a_page(tmp_path).test_client()
    firefox = {"User-Agent": "Firefox/145.0"}
    log_in(client, **firefox)
    assert client.get("/api/me", headers=firefox).status_code == 200
    assert client.get("/api/me", headers={"User-Agent": "curl/8"}).status_code == 401
    assert client.get("/api/me", headers=firefox).status_code == 401


def test_a_session_planted_before_the_log_in_is_not_the_one_after_it(tmp_path: Path) -> None:
    client = a_page(tmp_path).test_client()
    token(client)
    planted = client.get_cookie("platewatch")
    assert planted is not None
    log_in(client)
    thief = client.application.test_client()
    thief.set_cookie("platewatch", planted.value)
    assert thief.get("/api/me").status_code == 401
    assert client.get("/api/me").status_code == 200


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, 403),
        ({"Origin": "http://localhost"}, 204),
        ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({}, 204),
    ],
)
def test_a_write_from_another_site_is_refused_even_with_the_right_token(client: FlaskClient, fields: dict[str, str], code: int) -> None:
    made = client.post("/api/tokens", json={"name": "x", "scopes": ["status:read"]}, headers=csrf(client))
    assert made.status_code == 201
    assert client.delete("/api/tokens/x", headers=csrf(client) | fields).status_code == code


def test_a_write_without_the_sessions_token_is_refused(client: FlaskClient) -> None:
    other = logged_in(client.application)
    for fields in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "guessed"}, csrf(other)):
        assert client.post("/api/tokens", json={"name": "x", "scopes": ["status:read"]}, headers=fields).status_code == 400
    assert client.get("/api/tokens").json == {"tokens": []}


def test_a_form_sent_as_json_is_no_json(client: FlaskClient) -> None:
    """The kinds that a foreign form can send without asking are not read as JSON."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = client.post("/api/tokens", data='{"name": "x", "scopes": ["status:read"]}', content_type=kind, headers=csrf(client))
        assert answer.status_code == 415


def test_on_an_open_page_a_foreign_site_can_neither_read_nor_write(tmp_path: Path) -> None:
    """DNS rebinding: the name is the attacker's, the address is this machine's."""
    page = a_page(tmp_path, hashed="", host="127.0.0.1").test_client()
    for host in ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "[2001:db8::1]:8080"):
        assert page.get("/api/status", headers={"Host": host}).status_code == 421
    assert page.post("/api/me/password", json={"new": "mine, all mine"}, headers={"Origin": "http://evil.example"}).status_code == 403
    assert page.post("/api/me/password", json={"new": "mine, all mine"}).status_code == 400


def test_an_open_page_behind_a_proxy_is_open_to_nobody(tmp_path: Path) -> None:
    """The proxy is this machine, but who asks it is not."""
    page = a_page(tmp_path, hashed="", host="127.0.0.1").test_client()
    assert page.get("/api/status").status_code == 200
    assert page.get("/api/status", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 401


@pytest.mark.parametrize("host", ["a b", "a/b", 'a"b', "a:b:c", "<script>", "a@b", "a\\b"])
def test_a_host_that_is_none_is_refused(client: FlaskClient, host: str) -> None:
    assert client.get("/login", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/static/..%2f..%2f..%2faccess.json",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%5c..%5capp.py",
        "/static//etc/passwd",
        "/static/page.css%00.js",
        "/crops/..%2fevents.sqlite.jpg",
        "/crops/%2e%2e%2f%2e%2e%2fetc%2fpasswd.jpg",
        "/api/events/..%2f..%2faccess",
        "/api/users/..%2fadmin",
        "/api/events/%00",
    ],
)
def test_no_path_leads_out_of_its_folder(client: FlaskClient, path: str) -> None:
    with Store(Path(client.application.extensions["daemon_files"]._store_path)) as store:
        store.add(an_event())
    answer = client.get(path)
    assert answer.status_code in (308, 400, 404, 405)
    assert b"scrypt" not in answer.data
    assert b"root:" not in answer.data


@pytest.mark.parametrize(
    "name", ["a\r\nSet-Cookie: x=1", 'a"; filename="b', "../../etc/passwd", "\u202egpj.exe", "Kennzeichen für März", "", "...", "x" * 5000]
)
def test_a_file_name_breaks_no_header(name: str) -> None:
    told = headers.attachment(name)
    assert told.isascii()
    assert told.isprintable()
    assert told.count('"') == 2
    assert "/" not in told
    assert len(told) < 1400
    assert told.startswith("attachment; filename=")


@pytest.mark.parametrize("path", ["/login?next=/%0d%0aSet-Cookie:%20x=1", "/events?text=%0d%0aX:1", "/%0d%0aSet-Cookie:x=1", "/?lang=%0d%0aX:1"])
def test_no_answer_is_split(client: FlaskClient, path: str) -> None:
    for answer in (client.get(path), client.application.test_client().get(path)):
        assert "x=1" not in str(answer.headers.getlist("Set-Cookie"))
        assert "X" not in answer.headers
        assert not any("\r" in value or "\n" in value for value in answer.headers.values())


def test_private_answers_are_never_kept_framed_or_sniffed(client: FlaskClient) -> None:
    for path in ("/", "/events", "/login", "/api/me", "/api/users", "/api/nothing", "/nothing", "/healthz", "/setup"):
        answer = client.get(path)
        assert answer.headers["Cache-Control"] == "no-store", path
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert (answer.headers["Cross-Origin-Resource-Policy"], answer.headers["Cross-Origin-Opener-Policy"]) == ("same-origin", "same-origin")
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Server" not in answer.headers
    assert client.get("/api/openapi.json").headers["Cache-Control"] == "private, no-cache"


def test_a_fault_tells_nothing_of_the_inside(tmp_path: Path) -> None:
    page = a_page(tmp_path)

    @page.get("/api/fault")
    @scopes.needs("status:read")
    def fault() -> str:
        raise RuntimeError("the secret is in /var/lib")

    @page.get("/teapot")
    @scopes.needs("status:read")
    def teapot() -> str:
        abort(418)

    client = logged_in(page)
    answer = client.get("/api/fault")
    assert (answer.status_code, answer.json["error"]["status"]) == (500, 500)
    assert not any(word in answer.text for word in ("secret", "RuntimeError", "Traceback", "/var"))
    assert client.get("/teapot", headers={"Accept": "text/html"}).status_code == 418


def test_a_wrong_name_is_told_as_a_wrong_password(tmp_path: Path) -> None:
    page = a_page(tmp_path)
    one, other = page.test_client(), page.test_client()
    answers = [client.post("/login", data={"csrf": token(client), "name": name, "password": "wrong"}) for client, name in ((one, "admin"), (other, "nobody"))]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text.count("Name or password is wrong.") for answer in answers}) == 1


def test_many_guesses_at_once_take_no_more_than_two_threads(tmp_path: Path) -> None:
    """Each guess is slow by design; the others are told to come again, and the page lives on."""
    page = a_page(tmp_path)
    keeper = page.extensions["door"]
    with keeper._one_guess:
        waiting = [Thread(target=keeper.try_password, args=("admin", "wrong", f"192.0.2.{number}")) for number in range(2)]
        for thread in waiting:
            thread.start()
        until = time.monotonic() + 5
        while keeper._guesses._value and time.monotonic() < until:
            time.sleep(0.005)
        assert keeper.try_password("admin", PASSWORD, "192.0.2.9") == 1
    for thread in waiting:
        thread.join()
    assert keeper.try_password("admin", PASSWORD, "192.0.2.9").name == "admin"


@pytest.mark.parametrize(("fields", "code"), [({"Content-Length": str(10 * GIGABYTE)}, 413), ({"Transfer-Encoding": "chunked"}, 411)])
def test_ten_gigabytes_are_refused_at_once_and_held_nowhere(server: Server, fields: dict[str, str], code: int) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with connect(server) as line:
        line.sendall(head("/login", "POST", Content_Type="application/x-www-form-urlencoded", **fields))
        assert code_of(line.recv(65536)) == code  # before a byte of the body has come
        try:
            for _ in range(800):  # 50 MB that nobody wants
                line.sendall(b"x" * 65536)
        except OSError:
            pass
        else:
            pytest.fail("the page took it all")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB


def test_the_application_itself_refuses_what_is_too_large(client: FlaskClient) -> None:
    assert client.post("/api/tokens", data=b"{", headers=csrf(client), environ_overrides={"CONTENT_LENGTH": str(10 * GIGABYTE)}).status_code == 413


def test_many_slow_connections_do_not_shut_the_page(server: Server) -> None:
    """Almost as many as the address may have trickle a byte now and then; the page answers others, and lets none of the slow ones stay."""
    lines = [connect(server) for _ in range(25)]
    for line in lines:
        line.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        line.settimeout(0.02)
    assert code_of(say(server, head("/healthz"))) == 200
    answers, end = dict[socket.socket, bytes](), time.monotonic() + PATIENCE_S
    while len(answers) < len(lines):
        assert time.monotonic() < end
        for line in set(lines) - set(answers):
            try:
                line.sendall(b"a")
                answers[line] = line.recv(100)[:12]
            except TimeoutError:
                continue
            except OSError:
                answers[line] = b""
    assert set(answers.values()) <= {b"HTTP/1.1 408", b""}
    for line in lines:
        line.close()
    assert code_of(say(server, head("/healthz"))) == 200


def is_shut(line: socket.socket) -> bool:
    line.setblocking(False)
    try:
        return line.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_one_address_has_its_share_of_connections_and_no_more(server: Server) -> None:
    server.room.limits = Limits(connections=60, of_one=30)
    lines = [connect(server) for _ in range(40)]
    until(lambda: sum(is_shut(line) for line in lines) == 10)
    assert len(server.room.open) == 30
    for line in lines:
        line.close()
    until(lambda: not server.room.open)


def test_when_all_places_are_taken_the_one_of_least_use_goes(server: Server) -> None:
    server.room.limits = Limits(connections=5, of_one=30)
    lines = [connect(server) for _ in range(5)]
    until(lambda: say(server, head("/healthz"))[:12] == b"HTTP/1.1 200")  # each is given a second to be of use
    until(lambda: is_shut(lines[0]))
    for line in lines:
        line.close()


def test_a_body_that_trickles_is_cut_off(server: Server) -> None:
    with connect(server) as line:
        line.sendall(head("/login", "POST", Content_Length="1000") + b"a=")
        assert code_of(line.recv(1000)) == 408


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (head("/healthz", Cookie="a=" + "x" * 17_000), 431),
        (head("/healthz?" + "x" * 17_000), 431),
        (head("/healthz", Content_Length="5", Transfer_Encoding="chunked"), 411),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\nHost: a\r\n\r\n", 400),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
    ],
)
def test_what_could_be_read_in_two_ways_is_not_read_at_all(server: Server, words: bytes, code: int) -> None:
    answer = say(server, words)
    assert code_of(answer) == code
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["status"] == code
    assert b"connection: close" in answer.lower()


def test_forwarded_addresses_are_not_believed(server: Server) -> None:
    """Else every guess could come from another address."""
    for number in range(6):
        page = say(server, head("/login"))
        cookie = page.partition(b"set-cookie: ")[2].partition(b";")[0].decode()
        field = page.partition(b'name="csrf" value="')[2].partition(b'"')[0].decode()
        body = f"csrf={field}&password=wrong".encode()
        kinds = {"Content_Type": "application/x-www-form-urlencoded", "Content_Length": str(len(body)), "X_Forwarded_For": f"203.0.113.{number}"}
        code = code_of(say(server, head("/login", "POST", Cookie=cookie, **kinds), body))
    assert code == 429


def test_a_connection_is_kept_for_the_next_request_and_ends_when_idle(server: Server) -> None:
    with connect(server) as line:
        for _ in range(3):
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            answer = line.recv(65536)
            while not answer.endswith(b"}\n"):
                answer += line.recv(65536)
            assert code_of(answer) == 200
        assert line.recv(1) == b""
    until(lambda: not server.room.open)
