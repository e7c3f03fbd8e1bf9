"""Who may do what: no endpoint is forgotten, and a role holds what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.web import scopes
from tests.pages import a_page, logged_in, the_access


def test_every_endpoint_carries_a_scope_or_is_one_of_the_open_ones(tmp_path: Path) -> None:
    views = a_page(tmp_path).view_functions
    marked = {name for name, view in views.items() if scopes.scope_of(view) in {*scopes.SCOPES, scopes.ANYONE}}
    assert set(views) - marked == scopes.OPEN
    assert not scopes.OPEN & marked


def test_an_endpoint_without_a_mark_is_shut_even_to_the_admin(tmp_path: Path) -> None:
    page = a_page(tmp_path)
    page.add_url_rule("/forgotten", "forgotten", lambda: "open to all")
    assert logged_in(page).get("/forgotten").status_code == 403


def test_a_mark_with_a_scope_that_is_none_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="unknown scope 'event:read'"):
        scopes.needs("event:read")


def test_a_role_holds_all_of_the_one_below() -> None:
    assert scopes.VIEWER < scopes.OPERATOR < scopes.ROLES["admin"] == frozenset(scopes.SCOPES)
    assert not any(scope.endswith((":write", ":test", ":export")) for scope in scopes.VIEWER)
    assert "access:write" not in scopes.OPERATOR


@pytest.mark.parametrize(("role", "code"), [("viewer", 403), ("operator", 403), ("admin", 200)])
def test_users_are_managed_by_admins_alone(tmp_path: Path, role: str, code: int) -> None:
    the_access(tmp_path).add_user("jo", role, "long enough")
    client = logged_in(a_page(tmp_path), "jo", "long enough")
    assert client.get("/api/users").status_code == code
    assert client.get("/api/status").status_code == 200


def test_a_role_changed_on_the_command_line_holds_at_the_next_request(tmp_path: Path) -> None:
    access = the_access(tmp_path)
    access.add_user("jo", "admin", "long enough")
    client = logged_in(a_page(tmp_path), "jo", "long enough")
    assert client.get("/api/users").status_code == 200
    access.set_role("jo", "viewer")
    assert client.get("/api/users").status_code == 403
