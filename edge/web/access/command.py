"""`platewatch web --add-user` and its sisters: users, tokens and the certificate from the command line. A page that runs takes note at once."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import ConfigError

if TYPE_CHECKING:
    from edge.web.access.access import Access
    from edge.web.settings import WebConfig

Work = Callable[[argparse.Namespace], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_argument_group("who may enter").add_mutually_exclusive_group()
    what.add_argument("--set-password", action="store_true", help="ask for a password and print the line to put under [web] in the configuration file")
    what.add_argument("--add-user", metavar="NAME", help="ask for a password and add a user")
    what.add_argument("--remove-user", metavar="NAME", help="remove a user; the open sessions end at once")
    what.add_argument("--new-token", metavar="NAME", help="make an API token and print it, once")
    what.add_argument("--revoke-token", metavar="NAME", help="end an API token")
    what.add_argument("--users", action="store_true", help="list users and tokens")
    what.add_argument("--fingerprint", action="store_true", help="print the SHA-256 fingerprint of the HTTPS certificate")
    parser.add_argument("--role", default="viewer", help="of the user to add: viewer, operator or admin (default: %(default)s)")
    parser.add_argument("--scopes", metavar="A,B", default="", help="of the token to make, as status:read,events:read")
    parser.add_argument("--days", metavar="N", type=int, default=90, help="for how long the token is good (default: %(default)s)")


def chosen(args: argparse.Namespace) -> Work | None:
    """What the arguments ask for; None to serve the page."""
    for name, work in WORKS.items():
        if getattr(args, name, None) not in (None, False):
            return work
    return None


def settings(args: argparse.Namespace) -> WebConfig:
    from edge import config

    return config.load(args.config).web


def access(args: argparse.Namespace) -> Access:
    """Raises AccessError where the file cannot be used: nothing is done half."""
    from edge.web.access.access import Access

    web = settings(args)
    found = Access(Path(web.access), web.password_hash)
    found.file.book()
    return found


def ask_password(whose: str) -> str:
    """Asked twice, shown never; the password itself is kept nowhere."""
    from edge.web.auth import check_password

    try:
        password = check_password(getpass.getpass(f"New password for {whose}: "))
        if getpass.getpass("The same again: ") != password:
            raise ConfigError("the two passwords differ; nothing was changed")
    except (EOFError, KeyboardInterrupt):
        raise ConfigError("no password was given; nothing was changed") from None
    return password


def set_password(args: argparse.Namespace) -> int:
    from edge.web.auth import hash_password

    hashed = hash_password(ask_password("the page"))
    print("Put this line under [web] in the configuration file and restart the page:", file=sys.stderr)
    print(f'password_hash = "{hashed}"')
    return 0


def add_user(args: argparse.Namespace) -> int:
    from edge.web.access.records import AccessError, good_name, good_role

    book = access(args)
    name, role = good_name(args.add_user), good_role(args.role)
    if book.user(name) is not None:
        raise AccessError(f"there is a user {name!r} already")
    made = book.add_user(name, role, ask_password(name))
    print(f"{made.name} may log in now, as {made.role}.")
    return 0


def remove_user(args: argparse.Namespace) -> int:
    access(args).remove_user(args.remove_user)
    print(f"{args.remove_user} is removed.")
    return 0


def new_token(args: argparse.Namespace) -> int:
    made, secret = access(args).new_token(args.new_token, [name.strip() for name in args.scopes.split(",") if name.strip()], args.days)
    print(f"{made.name} may {', '.join(made.scopes)} until {made.expires[:10]}. The token, which is shown this once:", file=sys.stderr)
    print(secret)
    return 0


def revoke_token(args: argparse.Namespace) -> int:
    access(args).revoke_token(args.revoke_token)
    print(f"{args.revoke_token} is good for nothing more.")
    return 0


def show(args: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    book = access(args)
    console = Console(highlight=False)
    users, tokens = book.users(), book.tokens()
    if not users:
        console.print("No user has a password: the page is open to this machine alone.")
    else:
        table = Table("user", "role", "created", "last seen", box=None)
        for user in users:
            table.add_row(user.name, user.role, (user.created or "in the configuration file")[:25], (user.last_seen or "–")[:16])
        console.print(table)
    if tokens:
        table = Table("token", "scopes", "expires", "last used", box=None)
        for token in tokens:
            table.add_row(token.name, ", ".join(token.scopes), token.expires[:10], (token.last_used or "–")[:16])
        console.print(table)
    return 0


def fingerprint(args: argparse.Namespace) -> int:
    from edge.web.tls import certificate_of, fingerprint_of

    found = certificate_of(settings(args))
    if found is None:
        raise ConfigError(f"{args.config}: HTTPS is off; set web.tls = 'own' or name a web.tls_certificate")
    print(fingerprint_of(found.certificate))
    return 0


WORKS: dict[str, Work] = {
    "set_password": set_password,
    "add_user": add_user,
    "remove_user": remove_user,
    "new_token": new_token,
    "revoke_token": revoke_token,
    "users": show,
    "fingerprint": fingerprint,
}
