"""cloud-init's files (Trixie): `user-data`, `network-config`, `meta-data`, as the image ships them and as Raspberry Pi Imager 1.x and 2.x write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.card.merge.merged import GROUPS, KIT, LATER, START, Merged, NotMerged, bytes_of, text_of
from deploy.card.yaml_text import (
    KEPT,
    Key,
    Unclear,
    add_item,
    at_end,
    bare,
    children,
    empty,
    is_list,
    keys,
    last,
    marked,
    plain,
    quoted,
    without_marked,
)

if TYPE_CHECKING:
    from deploy.device.settings import Settings, Wifi

HEADER = "#cloud-config"
COMMAND = f"[sh, {START}]"
NET = f'[sh, -c, "test ! -e {KIT}/release.tar || {LATER}"]'
"""At every start, early, and in the first one before the command above: `runcmd` is noted as done before it runs, so that a cut would lose it for ever."""
SSH = "[systemctl, enable, --now, ssh]"


def user_data(content: bytes | None, settings: Settings) -> Merged:
    """The file with what it lacks of the settings, and with the one command that starts the kit. Raises NotMerged."""
    text, ending = text_of(content or b"", "user-data")
    if not text.strip():
        text = f"{HEADER}\n"
    if text.split("\n", 1)[0].rstrip() != HEADER:
        raise NotMerged(f"user-data on the card does not begin with {HEADER}, so that nothing is added to it; write the card anew with Raspberry Pi Imager")
    try:
        lines, notes = _user_data(without_marked(text.split("\n")), settings)
    except Unclear as error:
        raise NotMerged(
            f"user-data on the card is written in a way to which nothing can be added ({error}); write lists (users, bootcmd, runcmd) with one item a line"
        ) from None
    return Merged(bytes_of("\n".join(lines), ending), tuple(notes))


def _top(lines: list[str]) -> dict[str, Key]:
    """Keys of the whole file; a `---` may stand before the first."""
    start = next((number for number, line in enumerate(lines) if not empty(line)), len(lines))
    start += start < len(lines) and lines[start].rstrip() == "---"
    return keys(lines, start, len(lines), 0)


def _user_data(lines: list[str], settings: Settings) -> tuple[list[str], list[str]]:
    notes: list[str] = []
    known = _top(lines)
    # Without a name and a user somebody gave, what stands here is the image's own example.
    fresh = not known.keys() & {"hostname", "users", "user"}
    added: list[str] = []
    for name, value in (("hostname", settings.name), ("timezone", settings.time_zone), ("locale", settings.locale)):
        if value and name not in known:
            added.append(f"{name}: {quoted(value)}")
        elif value and (there := plain(known[name].value)) != value:
            notes.append(f"user-data has {name}: {there} already, which stays; the device file says {value}")
    if not known.keys() & {"hostname", "manage_etc_hosts"}:
        added.append("manage_etc_hosts: true")
    if settings.keyboard and "keyboard" not in known:
        added += ["keyboard:", "  model: pc105", f"  layout: {quoted(settings.keyboard)}"]
    lines, more = _ssh_pwauth(lines, known, settings, fresh)
    added += more
    if "users" not in known:
        if "user" in known and _named(lines, known["user"]) == settings.user:
            notes.append(f"user-data makes the user {settings.user} already, who stays as there")
        else:
            added += ["users:", *(["- default"] if "user" in known else []), *_dashed(user(settings))]
    if "bootcmd" not in known:
        added += ["bootcmd:", f"- {NET}"]
    if "runcmd" not in known:
        added += ["runcmd:", f"- {SSH}", f"- {COMMAND}"]
    if added:
        at = at_end(lines)
        lines = lines[:at] + marked(added, 0) + (lines[at:] or [""])
    for name, items in (("users", [user(settings)]), ("bootcmd", [[NET]]), ("runcmd", [[SSH], [COMMAND]])):
        if name in known:
            lines = _items(lines, name, items, settings, notes)
    return lines, notes


def _items(lines: list[str], name: str, items: list[list[str]], settings: Settings, notes: list[str]) -> list[str]:
    """The items of a list that are not there yet."""
    for item in items:
        key = _top(lines)[name]
        block = lines[key.line : key.end]
        if not is_list(lines, key):
            raise Unclear(f"line {key.line + 1}")
        if name == "users" and any(_names(line, settings.user) for line in block):
            notes.append(f"user-data makes the user {settings.user} already, who stays as there")
        elif not any(item[0] in line or (item[0] == COMMAND and START in line) for line in block):
            lines = add_item(lines, key, item)
    return lines


def _names(line: str, user_name: str) -> bool:
    word = line.strip().removeprefix("- ").strip()
    return word.startswith("name:") and plain(word.removeprefix("name:")) == user_name


def _named(lines: list[str], key: Key) -> str:
    """The name in `user:`, which is a name alone or a table."""
    if not bare(key):
        return plain(key.value)
    inside = children(lines, key)
    return plain(inside["name"].value) if "name" in inside else ""


def _ssh_pwauth(lines: list[str], known: dict[str, Key], settings: Settings, fresh: bool) -> tuple[list[str], list[str]]:
    """Who has a key needs no password over SSH; the image's own line gives way, somebody's word does not."""
    wanted = "false" if settings.ssh_keys else "true"
    if "ssh_pwauth" not in known:
        return lines, [f"ssh_pwauth: {wanted}"]
    key = known["ssh_pwauth"]
    if not fresh or plain(key.value) == wanted:
        return lines, []
    return [*lines[: key.line], KEPT + lines[key.line], *lines[key.line + 1 :]], [f"ssh_pwauth: {wanted}"]


def user(settings: Settings) -> list[str]:
    """The owner, as an item of `users` without its dash."""
    return [
        f"name: {settings.user}",
        f"groups: {GROUPS}",
        "shell: /bin/bash",
        *([f"lock_passwd: {'false' if settings.password_hash else 'true'}"]),
        *([f"passwd: {quoted(settings.password_hash)}"] if settings.password_hash else []),
        *(["ssh_authorized_keys:", *(f"- {quoted(key)}" for key in settings.ssh_keys)] if settings.ssh_keys else []),
        # As on every Raspberry Pi OS; without a password there is nothing else that could be asked for.
        "sudo: ALL=(ALL) NOPASSWD:ALL",
    ]


def _dashed(item: list[str]) -> list[str]:
    return [f"- {item[0]}", *(f"  {line}" for line in item[1:])]


def network_config(content: bytes | None, wifi: Wifi | None) -> Merged | None:
    """The file with the wireless network; None where nothing is to be written. Raises NotMerged."""
    if content is None and wifi is None:
        return None
    text, ending = text_of(content or b"", "network-config")
    try:
        lines = without_marked(text.split("\n"))
        notes: list[str] = []
        if wifi:
            lines = _network(lines, wifi, notes)
    except Unclear as error:
        raise NotMerged(f"network-config on the card is written in a way to which nothing can be added ({error}); take [wifi] out of the device file") from None
    return Merged(bytes_of("\n".join(lines), ending), tuple(notes))


def _network(lines: list[str], wifi: Wifi, notes: list[str]) -> list[str]:
    known = _top(lines)
    if not known:
        at = at_end(lines)
        wired = ["ethernets:", "  eth0:", "    dhcp4: true", "    dhcp6: true", "    optional: true"]
        whole = ["network:", *("  " + line for line in ["version: 2", *wired, *_wifis(wifi)])]
        return lines[:at] + marked(whole, 0) + [*lines[at:], *([] if lines[at:] else [""])]
    inside, deep, end = known, 0, at_end(lines)
    if "network" in known:
        inside = children(lines, known["network"])
        deep = next((key.indent for key in inside.values()), 2)
        end = last(lines, known["network"].line + 1, known["network"].end)
    if "version" not in inside or plain(inside["version"].value) != "2":
        raise Unclear("its version is not 2")
    if "wifis" not in inside:
        return lines[:end] + marked(_wifis(wifi), deep) + lines[end:]
    cards = children(lines, inside["wifis"])
    if not cards:
        raise Unclear(f"line {inside['wifis'].line + 1}")
    card = cards.get("wlan0") or next(iter(cards.values()))
    below = children(lines, card)
    if "access-points" not in below:
        raise Unclear(f"line {card.line + 1}")
    points = children(lines, below["access-points"])
    if wifi.ssid in points:
        notes.append(f"network-config has the Wi-Fi {wifi.ssid} already, which stays as there")
        return lines
    deep = next((point.indent for point in points.values()), below["access-points"].indent + 2)
    end = last(lines, below["access-points"].line + 1, below["access-points"].end)
    return lines[:end] + marked(_point(wifi), deep) + lines[end:]


def _wifis(wifi: Wifi) -> list[str]:
    head = ["wifis:", "  wlan0:", "    dhcp4: true", "    optional: true", f'    regulatory-domain: "{wifi.country}"', "    access-points:"]
    return [*head, *("      " + line for line in _point(wifi))]


def _point(wifi: Wifi) -> list[str]:
    hidden = ["  hidden: true"] if wifi.hidden else []
    if wifi.security == "wpa3":
        return [f"{quoted(wifi.ssid)}:", *hidden, "  auth:", "    key-management: sae", f"    password: {quoted(wifi.key)}"]
    if wifi.security == "open":
        return [f"{quoted(wifi.ssid)}:", *hidden, "  auth:", "    key-management: none"]
    return [f"{quoted(wifi.ssid)}:", *hidden, f"  password: {quoted(wifi.key)}"]


def meta_data(content: bytes | None, instance: str) -> Merged | None:
    """Made where there is none; one that is there names the instance already."""
    return None if content and content.strip() else Merged(f"dsmode: local\ninstance-id: {instance}\n".encode())
