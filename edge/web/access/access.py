"""Who there is, and what each may: the config's admin, and the users and tokens of the file."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.status import utc_iso
from edge.web.access.file import AccessFile
from edge.web.access.records import ADMIN, AccessError, Book, Token, User, good_name, good_role, good_scopes
from edge.web.auth import check_password, hash_password

log = logging.getLogger(__name__)
NOTE_EVERY = timedelta(hours=1)
"""How exactly the last use is known: a memory card is not written for every request."""
PREFIX = "pw_"
MOST_DAYS = 3650


def mark(hashed: str) -> str:
    """Names a password hash without telling it."""
    return hashlib.sha256(hashed.encode()).hexdigest()[:32] if hashed else ""


class Access:
    """`config_hash` is the config's password of the user `admin`, '' for none."""

    def __init__(self, path: Path, config_hash: str, utc_now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.file, self.config_hash, self._utc_now = AccessFile(path), config_hash, utc_now
        self._noted: dict[tuple[str, str], datetime] = {}

    @property
    def trouble(self) -> str:
        """Why the file cannot be used; '' when it can. Then only the config's admin gets in."""
        try:
            self.file.book()
        except AccessError as error:
            return str(error)
        return ""

    @property
    def has_users(self) -> bool:
        """Whether anyone has a password. A file that cannot be used may hold some, so that it counts."""
        return bool(self.config_hash or self.trouble or self._book().users)

    def _book(self) -> Book:
        try:
            return self.file.book()
        except AccessError:
            return Book()

    def users(self) -> list[User]:
        """The admin of the config first, with the password that holds now."""
        book = self._book()
        others = [user for user in book.users if user.name != ADMIN]
        admin = self._admin(book)
        return [admin, *others] if admin else others

    def user(self, name: str) -> User | None:
        return next((user for user in self.users() if user.name == name), None)

    def _admin(self, book: Book) -> User | None:
        row = book.user(ADMIN)
        if self.config_hash and (row is None or row.over != mark(self.config_hash)):
            return User(name=ADMIN, role="admin", hash=self.config_hash, last_seen=row.last_seen if row else None)
        return row

    def tokens(self) -> list[Token]:
        return list(self._book().tokens)

    def token(self, secret: str) -> Token | None:
        """The valid token that was sent."""
        digest = hashlib.sha256(secret.encode()).hexdigest()
        found = next((token for token in self._book().tokens if secrets.compare_digest(token.digest, digest)), None)
        return found if found is not None and found.is_valid(self._utc_now()) else None

    def add_user(self, name: str, role: str, password: str) -> User:
        """AccessError where there is such a user, or the first one would be no admin."""
        name, role = good_name(name), good_role(role)
        hashed = hash_password(check_password(password))
        now = utc_iso(self._utc_now())

        def edit(book: Book) -> Book:
            if book.user(name) is not None or (name == ADMIN and self.config_hash):
                raise AccessError(f"there is a user {name!r} already")
            if role != "admin" and not self._admins(book):
                raise AccessError("the first user must be an admin; nobody could manage the others")
            return book.with_user(User(name=name, role=role, hash=hashed, created=now))  # type: ignore[arg-type]

        self.file.change(edit)
        return self._present(name)

    def remove_user(self, name: str) -> None:
        def edit(book: Book) -> Book:
            self._must_be(book, name)
            if name == ADMIN and self.config_hash:
                raise AccessError("the user 'admin' stands in the configuration file (web.password_hash) and cannot be removed here")
            return self._with_an_admin(book.without_user(name))

        self.file.change(edit)

    def set_role(self, name: str, role: str) -> User:
        role = good_role(role)

        def edit(book: Book) -> Book:
            user = self._must_be(book, name)
            if name == ADMIN and self.config_hash:
                raise AccessError("the user 'admin' of the configuration file is always an admin")
            return self._with_an_admin(book.with_user(user.model_copy(update={"role": role})))

        self.file.change(edit)
        return self._present(name)

    def set_password(self, name: str, password: str) -> User:
        """Ends the user's sessions, which are bound to the hash."""
        hashed = hash_password(check_password(password))

        def edit(book: Book) -> Book:
            user = self._must_be(book, name)
            over = mark(self.config_hash) if name == ADMIN else ""
            return book.with_user(user.model_copy(update={"hash": hashed, "over": over, "created": user.created or utc_iso(self._utc_now())}))

        self.file.change(edit)
        return self._present(name)

    def set_first_password(self, password: str) -> User:
        """Makes the user `admin`; AccessError where anyone has a password already, so that nobody can come second."""
        hashed = hash_password(check_password(password))

        def edit(book: Book) -> Book:
            if book.users or self.config_hash:
                raise AccessError("the page has a password already; log in with it")
            return book.with_user(User(name=ADMIN, role="admin", hash=hashed, created=utc_iso(self._utc_now())))

        self.file.change(edit)
        return self._present(ADMIN)

    def new_token(self, name: str, scopes: list[str], days: int) -> tuple[Token, str]:
        """The token's row and the token itself, which is shown once and kept nowhere."""
        name, granted = good_name(name), good_scopes(scopes)
        if not 1 <= days <= MOST_DAYS:
            raise AccessError(f"a token is good for 1 to {MOST_DAYS} days, not {days}")
        secret, now = PREFIX + secrets.token_urlsafe(32), self._utc_now()
        digest = hashlib.sha256(secret.encode()).hexdigest()
        made = Token(name=name, digest=digest, scopes=granted, created=utc_iso(now), expires=utc_iso(now + timedelta(days=days)))

        def edit(book: Book) -> Book:
            if (found := book.token(name)) is not None and found.is_valid(now):
                raise AccessError(f"there is a token {name!r} already; revoke it first, or take another name")
            return book.with_token(made)

        self.file.change(edit)
        return made, secret

    def revoke_token(self, name: str) -> None:
        def edit(book: Book) -> Book:
            if book.token(name) is None:
                raise AccessError(f"there is no token {name[:40]!r}")
            return book.without_token(name)

        self.file.change(edit)

    def note(self, kind: str, name: str) -> None:
        """That a user was seen or a token used; what cannot be written is logged and no more."""
        now, book = self._utc_now(), self._book()
        if (book.token(name) if kind == "token" else book.user(name)) is None:  # the config's admin has no line in the file
            return
        if now - self._noted.get((kind, name), datetime.min.replace(tzinfo=UTC)) < NOTE_EVERY:
            return
        self._noted[kind, name] = now

        def edit(book: Book) -> Book:
            if kind == "token" and (token := book.token(name)) is not None:
                return book.model_copy(update={"tokens": tuple(t.model_copy(update={"last_used": utc_iso(now)}) if t is token else t for t in book.tokens)})
            if kind == "user" and (user := book.user(name)) is not None:
                return book.with_user(user.model_copy(update={"last_seen": utc_iso(now)}))
            return book

        try:
            self.file.change(edit)
        except AccessError as error:
            log.warning("the last use cannot be noted: %s", error)

    def _present(self, name: str) -> User:
        found = self.user(name)
        if found is None:
            raise AccessError(f"there is no user {name[:40]!r}")
        return found

    def _must_be(self, book: Book, name: str) -> User:
        found = self._admin(book) if name == ADMIN else book.user(name)
        if found is None:
            raise AccessError(f"there is no user {name[:40]!r}")
        return found

    def _admins(self, book: Book) -> list[str]:
        return [user.name for user in book.users if user.role == "admin"] + ([ADMIN] if self.config_hash else [])

    def _with_an_admin(self, book: Book) -> Book:
        if not self._admins(book):
            raise AccessError("this is the last admin; make another one first")
        return book
