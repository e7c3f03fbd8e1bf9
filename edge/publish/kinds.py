"""The table of target kinds. To add one: a module with a target that keeps `Target`'s promises, its line here, and its name in `settings.KINDS`."""

from __future__ import annotations

from collections.abc import Callable

from edge.publish.base import Target
from edge.publish.execute import Command
from edge.publish.files import CsvFile, JsonLines
from edge.publish.household import Household
from edge.publish.settings import TargetConfig
from edge.publish.told import Site

Maker = Callable[[TargetConfig, Site, Household, Callable[[], None]], Target]


def _mqtt(config: TargetConfig, site: Site, household: Household, wake: Callable[[], None]) -> Target:
    from edge.publish.homeassistant import HomeAssistant  # TLS and all: not for who writes to a file
    from edge.publish.mqtt import Mqtt

    return HomeAssistant(config, site, household, wake=wake) if config.dialect == "homeassistant" else Mqtt(config, site, wake=wake)


def _webhook(config: TargetConfig, site: Site, household: Household, wake: Callable[[], None]) -> Target:
    from edge.publish.webhook import Webhook

    return Webhook(config)


MAKERS: dict[str, Maker] = {
    "mqtt": _mqtt,
    "webhook": _webhook,
    "jsonl": lambda config, site, household, wake: JsonLines(config),
    "csv": lambda config, site, household, wake: CsvFile(config),
    "exec": lambda config, site, household, wake: Command(config),
}


def make(config: TargetConfig, site: Site, household: Household | None = None, wake: Callable[[], None] = lambda: None) -> Target:
    """The target of a config; ConfigError where a secret or a certificate is missing. Nothing is connected yet."""
    return MAKERS[config.kind](config, site, household or Household(), wake)
