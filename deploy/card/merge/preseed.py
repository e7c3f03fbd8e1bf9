"""`rpi-preseed.toml`, the newest way: its tables are added to, what is there stays, comments too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.card.merge.merged import LATER, START, Merged, NotMerged, bytes_of, text_of

if TYPE_CHECKING:
    from deploy.device.settings import Settings, Wifi

COMMAND = f"systemd-run --no-block --collect --unit=platewatch-kit /bin/sh {START}"
"""Of the early commands, since the late ones wait for the time from the network. An early one is ended after 5 s: this one leaves the work to systemd.

`LATER` comes before it and is waited for: early commands are noted as done once they have returned, and never run again.
"""


def preseed(content: bytes | None, settings: Settings) -> Merged:
    """Strings stay on one line each, since its reader takes no others. Raises NotMerged."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    text, ending = text_of(content or b"", "rpi-preseed.toml")
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise NotMerged(f"rpi-preseed.toml on the card is not valid TOML ({str(error)[:100]}); write the card anew") from None
    notes: list[str] = []
    document.setdefault("config_version", "1.0")
    for name, wanted in _tables(settings).items():
        table = document.setdefault(name, tomlkit.table())
        if not isinstance(table, dict):
            raise NotMerged(f"rpi-preseed.toml on the card has a {name} that is no table; write the card anew")
        leading = next(iter(wanted))
        if leading in table:  # a user, a network: whole or not at all
            if table[leading] != wanted[leading]:
                notes.append(f"rpi-preseed.toml has {name}.{leading} already, which stays")
            continue
        for key, value in wanted.items():
            table.setdefault(key, value)
    runcmd = document.setdefault("runcmd", tomlkit.table())
    commands = runcmd.setdefault("early", tomlkit.array()) if isinstance(runcmd, dict) else None
    if not isinstance(commands, list):
        raise NotMerged("rpi-preseed.toml on the card has a runcmd.early that is no list; write the card anew")
    for words, command in ((LATER, LATER), (START, COMMAND)):
        if not any(words in str(there) for there in commands):
            commands.append(command)
    return Merged(bytes_of(tomlkit.dumps(document), ending), tuple(notes))


def _tables(settings: Settings) -> dict[str, dict[str, Any]]:
    """Each with the key first that says whether somebody has filled it already."""
    tables: dict[str, dict[str, Any]] = {"system": {"hostname": settings.name}, "user": {"name": settings.user}}
    if settings.password_hash:
        tables["user"] |= {"password": settings.password_hash, "password_encrypted": True}
    tables["user"]["passwordless_sudo"] = True
    tables["ssh"] = {"enabled": True, "password_authentication": not settings.ssh_keys}
    if settings.ssh_keys:
        tables["ssh"]["authorized_keys"] = list(settings.ssh_keys)
    if settings.wifi:
        tables["wlan"] = _wlan(settings.wifi)
    if settings.time_zone:
        tables["locale"] = {"timezone": settings.time_zone}
    if settings.keyboard:
        tables.setdefault("locale", {})["keymap"] = settings.keyboard
    if settings.locale:
        tables.setdefault("locale", {})["locales"] = [settings.locale]
        tables["locale"]["lang"] = settings.locale
    return tables


def _wlan(wifi: Wifi) -> dict[str, Any]:
    secret = {} if wifi.security == "open" else {"password": wifi.key, "password_encrypted": wifi.security == "wpa2"}
    management = {"wpa2": "wpa-psk", "wpa3": "sae", "open": "none"}[wifi.security]
    return {"ssid": wifi.ssid, **secret, "hidden": wifi.hidden, "country": wifi.country, "key_mgmt": management}
