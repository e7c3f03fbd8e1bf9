"""`firstrun.sh` (Bookworm): a shell script that Raspberry Pi Imager writes, or that is written here in the same way."""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING

from deploy.card.merge.cmdline import RUN, script_of, with_words
from deploy.card.merge.merged import KIT, Merged, NotMerged, bytes_of, text_of

if TYPE_CHECKING:
    from deploy.device.settings import Settings, Wifi

BEGIN, END = "# platewatch begin", "# platewatch end"
NAME = "firstrun.sh"
IMAGER, USERCONF = "/usr/lib/raspberrypi-sys-mods/imager_custom", "/usr/lib/userconf-pi/userconf"
WORDS = [f"{RUN}/boot/firmware/{NAME}", "systemd.run_success_action=reboot", "systemd.unit=kernel-command-line.target"]
TAIL = [f"rm -f /boot/firmware/{NAME}", "sed -i 's| systemd\\.[^ ]*||g' /boot/firmware/cmdline.txt", "exit 0"]
"""As the image itself ends the script (it rewrites everything from the line on that removes the script)."""
ONCE = [TAIL[1], "sync"]
"""Before the script removes itself: a command line that runs a script which is gone switches the machine off, at every start."""
DOES = {"name": ("set_hostname", "/etc/hostname"), "user": (USERCONF,), "ssh": ("enable_ssh",), "wifi": ("set_wlan ", "wpa_supplicant.conf")}
DOES |= {"keyboard": ("set_keymap",), "time_zone": ("set_timezone",), "locale": ("do_change_locale",)}
"""By which words a script shows that it sees to something already."""


def script_name(cmdline: bytes | None) -> str:
    """Name, in the boot folder, of the script that the first boot runs or will run. Raises NotMerged for one that lies elsewhere."""
    path = script_of(cmdline)
    name = path.removeprefix("/boot/").removeprefix("firmware/")
    if path and (not path.startswith("/boot/") or "/" in name):
        raise NotMerged(f"cmdline.txt on the card starts {path}, which does not lie in the boot folder; write the card anew")
    return name or NAME


def cmdline(content: bytes | None) -> Merged:
    """Runs the script once. Raises NotMerged."""
    return with_words(content, [] if script_of(content) else WORDS)  # they come last, after all that was added before


def script(content: bytes | None, settings: Settings) -> Merged:
    """The script with our lines before its end. Raises NotMerged where it is no shell script."""
    if content is None:
        return Merged(("\n".join(["#!/bin/sh", "", "set +e", "", *_marked(_lines(settings, set(DOES))), *TAIL]) + "\n").encode())
    text, ending = text_of(content, NAME)
    if not re.match(r"#!\s*/(usr/)?bin/(env )?(ba|da)?sh\b", text):
        raise NotMerged(f"{NAME} on the card is no shell script, so that nothing is added to it; write the card anew")
    lines = _without_marked(text.split("\n"))
    there = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    wanted = {what for what, words in DOES.items() if not any(word in there for word in words)}
    at = _end(lines)
    told = {"name": settings.name, "user": settings.user, "wifi": settings.wifi, "keyboard": settings.keyboard, "time_zone": settings.time_zone}
    notes = [f"{NAME} sets the {what.replace('_', ' ')} already, which stays" for what in told if told[what] and what not in wanted]
    lines = lines[:at] + _marked(_lines(settings, wanted)) + lines[at:]
    return Merged(bytes_of("\n".join(lines), ending), tuple(notes))


def _end(lines: list[str]) -> int:
    """The line where a script begins to take itself away, or ends: ours go before it, or they would be cut off with it."""
    for pattern in (rf"\s*rm\s.*{re.escape(NAME)}", r"\s*sed -i.*systemd", r"(exit|reboot)\b"):
        for number, line in enumerate(lines):
            if re.match(pattern, line):
                return number
    return len(lines) - (lines[-1:] == [""])


def _marked(lines: list[str]) -> list[str]:
    return [BEGIN, *lines, END]


def _without_marked(lines: list[str]) -> list[str]:
    if lines.count(BEGIN) != lines.count(END):
        raise NotMerged(f"{NAME} on the card has lost one of Platewatch's marks; write the card anew")
    while BEGIN in lines:
        lines = lines[: lines.index(BEGIN)] + lines[lines.index(END) + 1 :]
    return lines


def _lines(settings: Settings, wanted: set[str]) -> list[str]:
    """What the script does for us; each line may fail without stopping the others, and the kit comes last."""
    lines = []
    if "name" in wanted:
        lines += _either(
            f"set_hostname {settings.name}", [f"echo {settings.name} >/etc/hostname", f"sed -i 's/127.0.1.1.*/127.0.1.1\\t{settings.name}/' /etc/hosts"]
        )
    if "user" in wanted:
        lines += _user(settings)
    if "ssh" in wanted:
        lines += _ssh(settings)
    if "wifi" in wanted and settings.wifi:
        lines += _wifi(settings.wifi)
    if "keyboard" in wanted and settings.keyboard:
        lines += _either(f"set_keymap {quote(settings.keyboard)}", [])
    if "time_zone" in wanted and settings.time_zone:
        zone = quote(settings.time_zone)
        lines += _either(f"set_timezone {zone}", [f"ln -sf /usr/share/zoneinfo/{zone} /etc/localtime", f"echo {zone} >/etc/timezone"])
    if "locale" in wanted and settings.locale:
        lines.append(f"command -v raspi-config >/dev/null && raspi-config nonint do_change_locale {quote(settings.locale)}")
    return [*lines, f"sh {KIT}/firstboot.sh", *ONCE]


def _either(imager: str, otherwise: list[str]) -> list[str]:
    return [f"if [ -f {IMAGER} ]; then", f"   {IMAGER} {imager}", *(["else", *(f"   {line}" for line in otherwise)] if otherwise else []), "fi"]


def _user(settings: Settings) -> list[str]:
    name, hashed = quote(settings.user), quote(settings.password_hash or "!")
    plain = [
        "   FIRSTUSER=$(getent passwd 1000 | cut -d: -f1)",
        f'   if [ -n "$FIRSTUSER" ] && [ "$FIRSTUSER" != {name} ]; then',
        f'      usermod -l {name} "$FIRSTUSER" && usermod -m -d /home/{name} {name} && groupmod -n {name} "$FIRSTUSER"',
        f"   elif ! getent passwd {name} >/dev/null; then",
        f"      useradd -m -s /bin/bash -G sudo {name}",
        "   fi",
        f"   usermod -p {hashed} {name}",
    ]
    return [f"if [ -f {USERCONF} ]; then", f"   {USERCONF} {name} {hashed}", "else", *plain, "fi"]


def _ssh(settings: Settings) -> list[str]:
    """Keys are added one by one and once each, so that a script that runs again adds none twice."""
    if not settings.ssh_keys:
        return _either("enable_ssh -p", ["systemctl enable ssh"])
    home = f"/home/{settings.user}"
    lines = _either(
        "enable_ssh -k", ["mkdir -p /etc/ssh/sshd_config.d", "echo 'PasswordAuthentication no' >/etc/ssh/sshd_config.d/platewatch.conf", "systemctl enable ssh"]
    )
    lines.append(f"install -o {settings.user} -g {settings.user} -m 700 -d {home}/.ssh")
    for key in settings.ssh_keys:
        lines.append(f"grep -qxF {quote(key)} {home}/.ssh/authorized_keys 2>/dev/null || echo {quote(key)} >>{home}/.ssh/authorized_keys")
    return [*lines, f"chown {settings.user}:{settings.user} {home}/.ssh/authorized_keys", f"chmod 600 {home}/.ssh/authorized_keys"]


def _wifi(wifi: Wifi) -> list[str]:
    options = (" -h" if wifi.hidden else "") + (" -p" if wifi.security == "wpa3" else "")
    lines = _either(f"set_wlan{options} {quote(wifi.ssid)} {quote(wifi.key)} {wifi.country}", [])
    if wifi.security == "wpa3":
        lines.append("sed -i 's/^key-mgmt=wpa-psk$/key-mgmt=sae/' /etc/NetworkManager/system-connections/preconfigured.nmconnection")
    return [*lines, "rfkill unblock wifi", 'for blocked in /var/lib/systemd/rfkill/*:wlan; do echo 0 >"$blocked"; done']
