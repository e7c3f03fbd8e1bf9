"""What the operating system is told on its first start: secrets looked up and hashed, keys read. No TOML, no files from here on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.device.errors import DeviceError
from deploy.device.owner import expanded
from deploy.device.secret import login_hash, resolve, wifi_key

if TYPE_CHECKING:
    from deploy.device.model import Device, UserTable, WifiTable


SHORTEST_PASSWORD = 8


@dataclass(frozen=True, slots=True)
class Wifi:
    """`key` is the WPA2 key in hexadecimal; with WPA3 the password itself, since nothing else will do there; '' in an open network."""

    ssid: str
    key: str
    country: str
    hidden: bool = False
    security: str = "wpa2"


@dataclass(frozen=True, slots=True)
class Settings:
    """Empty strings leave what the image has."""

    name: str
    user: str
    ssh_keys: tuple[str, ...] = ()
    password_hash: str = ""
    wifi: Wifi | None = None
    time_zone: str = ""
    locale: str = ""
    keyboard: str = ""

    def secrets(self) -> tuple[str, ...]:
        """What no terminal and no log may show."""
        return tuple(filter(None, (self.password_hash, self.wifi.key if self.wifi else "")))


def settings_of(device: Device, base: Path) -> Settings:
    """Relative paths count from `base`. Raises DeviceError."""
    user = device.user
    keys = ssh_keys(user, base)
    hashed = user.password_hash or (login_hash(checked_login_password(resolve(user.password, "user.password", base))) if user.password else "")
    if not keys and not hashed:
        raise DeviceError("user: has neither a key nor a password, so that nobody could log in; name user.ssh_keys or user.password")
    machine = device.device
    return Settings(
        machine.name, user.name, keys, hashed, wifi_of(device.wifi, base) if device.wifi else None, machine.time_zone, machine.locale, machine.keyboard
    )


def checked_login_password(password: str) -> str:
    """Raises DeviceError where it is too short."""
    if len(password) < SHORTEST_PASSWORD:
        raise DeviceError(f"user.password: has fewer than {SHORTEST_PASSWORD} characters, and whoever guesses it owns the device; take a longer one")
    return password


def ssh_keys(user: UserTable, base: Path) -> tuple[str, ...]:
    """Each key once; a word that is no key names a file of keys. Raises DeviceError."""
    from deploy.device.model import good_key

    found: list[str] = []
    for word in user.ssh_keys:
        lines = [word] if good_key(word) else _lines_of(word, base)
        for line in lines:
            if not good_key(line):
                what = f"holds {line[:30]!r}..., which is" if len(lines) > 1 or line != word else "is"
                raise DeviceError(f"user.ssh_keys: {word[:60]!r} {what} no public key; it begins with ssh-ed25519 and ends in .pub as a file")
            found.append(line.strip())
    return tuple(dict.fromkeys(found))


def _lines_of(word: str, base: Path) -> list[str]:
    path = base / expanded(word)
    try:
        text = path.read_text(encoding="utf-8")[:100_000]
    except (OSError, ValueError):
        raise DeviceError(f"user.ssh_keys: {word[:60]!r} is neither a public key nor a file that can be read; make one with ssh-keygen -t ed25519") from None
    if "PRIVATE KEY" in text:
        raise DeviceError(f"user.ssh_keys: {word} is the private key, which stays with you; name the public one, {word}.pub")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise DeviceError(f"user.ssh_keys: {word} holds no key; make one with ssh-keygen -t ed25519")
    return lines


def wifi_of(wifi: WifiTable, base: Path) -> Wifi:
    """Raises DeviceError where the password is missing or none."""
    if wifi.security == "open":
        return Wifi(wifi.ssid, "", wifi.country, wifi.hidden, "open")
    password = resolve(wifi.password, "wifi.password", base) if wifi.password else ""
    if not password and not wifi.psk:
        raise DeviceError("wifi.password: is missing; write env:NAME or file:PATH, or wifi.security = 'open' where there is none")
    if wifi.security == "wpa3":
        return Wifi(wifi.ssid, password, wifi.country, wifi.hidden, "wpa3")
    return Wifi(wifi.ssid, wifi.psk or wifi_key(password, wifi.ssid), wifi.country, wifi.hidden)
