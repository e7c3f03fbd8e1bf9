"""Writes a card that needs nothing more: Raspberry Pi OS as you downloaded it, your settings, and the kit that installs Platewatch without a network."""

from __future__ import annotations

import argparse

from deploy.card import options as shared


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("flash", help="write a card: system, settings, kit", description=__doc__)
    shared.add_card(parser)
    shared.add(parser)


def run(options: argparse.Namespace) -> int:
    from deploy.card.prepare import terminal
    from deploy.card.target import chosen

    target = chosen(options, terminal())
    target.write(shared.work(options))
    return 0
