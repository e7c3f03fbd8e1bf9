"""The table of target kinds. To add one: a module with a target that keeps `Target`'s promises, its line here, and its name in `settings.KINDS`."""

from __future__ import annotations

from collections.abc import Callable

from edge.publish.base import Target
from edge.publish.execute import Command
from edge.publish.files import CsvFile, JsonLines
from edge.publish.homeassistant import HomeAssistant, Household
from edge.publish.mqtt import Mqtt
from edge.publish.settings import TargetConfig
from edge.publish.told import Site
from edge.publish.webhook import Webhook

Maker = Callable[[TargetConfig, Site, Household, Callable[[], None]], Target]


def _mqtt(config: TargetConfig, site: Site, household: Household, wake: Callable[[], None]) -> Target:
    return HomeAssistant(config, site, household, wake=wake) if config.dialect == "homeassistant" else Mqtt(config, site, wake=wake)


MAKERS: dict[str, Maker] = {
    "mqtt": _mqtt,
    "webhook": lambda config, site, household, wake: Webhook(config),
    "jsonl": lambda config, site, household, wake: JsonLines(config),
    "csv": lambda config, site, household, wake: CsvFile(config),
    "exec": lambda config, site, household, wake: Command(config),
}


def make(config: TargetConfig, site: Site, household: Household | None = None, wake: Callable[[], None] = lambda: None) -> Target:
    """The target of a config; ConfigError where a secret or a certificate is missing. Nothing is connected yet."""
    return MAKERS[config.kind](config, site, household or Household(), wake)
