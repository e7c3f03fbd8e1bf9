"""What the page does about access, for its forms and its API alike: each change ends the sessions that it must end."""

from __future__ import annotations

from flask import request

from edge.web.access.records import AccessError, User
from edge.web.door import Door
from edge.web.scopes import Caller


class TooFast(AccessError):
    """Too many wrong passwords."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many wrong passwords; try again in {wait_s} s")
        self.wait_s = wait_s


class WrongPassword(AccessError):
    """The old password is not right."""


def change_own_password(keeper: Door, who: Caller, old: str, new: str) -> None:
    """All the user's sessions end; this one begins anew. With no password yet this sets the first, and the page has a lock."""
    if who.by == "token":
        raise AccessError("a token has no password; log in to change yours")
    if who.by == "open":
        keeper.let_in(keeper.access.set_first_password(new))
        return
    found = keeper.try_password(who.name, old, request.remote_addr)
    if isinstance(found, int):
        raise TooFast(found)
    if found is None:
        raise WrongPassword("the old password is wrong; nothing was changed")
    user = keeper.access.set_password(who.name, new)
    keeper.sessions.close_all_of(who.name)
    keeper.let_in(user)


def change_user(keeper: Door, name: str, role: str | None, password: str | None) -> User | None:
    """None where nothing was asked and there is no such user."""
    if role is not None:
        keeper.access.set_role(name, role)
    if password is not None:
        keeper.access.set_password(name, password)
        keeper.sessions.close_all_of(name)
    return keeper.access.user(name)


def remove_user(keeper: Door, name: str) -> None:
    keeper.access.remove_user(name)
    keeper.sessions.close_all_of(name)


def end_session(keeper: Door, who: Caller, id: str) -> bool:
    """Whether there was such a session that this caller may end."""
    found = next((one for one in keeper.sessions.open_ones(keeper.clock()) if one.id == id), None)
    if found is None or (found.user != who.name and "access:write" not in who.scopes):
        return False
    return keeper.sessions.close(id)
