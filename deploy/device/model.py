"""One TOML file describes one device: the operating system's settings and Platewatch's own. Every key stands here once."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

SECRET = "`env:NAME`, `file:PATH`, or the word itself"
KEY_TYPES = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-", "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-")
RESERVED = ("root", "platewatch", "daemon", "www-data", "nobody", "systemd")
"""Users that the system has already."""


class Table(BaseModel):
    """One table of the file: no unknown keys, no control characters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _one_line(cls, told: Any) -> Any:
        for key, value in told.items() if isinstance(told, dict) else ():
            for word in value if isinstance(value, list) else [value]:
                if isinstance(word, str) and not word.isprintable():
                    raise ValueError(f"{key[:40]!r} holds a line break or another sign that cannot be printed; take it out")
        return told


class DeviceTable(Table):
    """The machine."""

    name: str = Field(description="Host name, in the network `NAME.local`: a-z, 0-9 and `-`.")
    time_zone: str = Field(default="", description='Such as `"Europe/Berlin"`; empty leaves the image\'s.')
    locale: str = Field(default="", description='Such as `"de_DE.UTF-8"`; empty leaves the image\'s.')
    keyboard: str = Field(default="", description='Layout, such as `"de"`; empty leaves the image\'s.')

    @field_validator("name")
    @classmethod
    def _host_name(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
            raise ValueError(f"device.name {name!r} is no host name; it is of a-z, 0-9 and -, begins and ends with a letter or digit, and has at most 63")
        return name

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        import zoneinfo

        known = zoneinfo.available_timezones() if zone else set()
        if known and zone not in known:
            raise ValueError(f"device.time_zone {zone!r} is not known; it looks like 'Europe/Berlin'")
        if zone and not re.fullmatch(r"[A-Za-z0-9_+/-]{1,60}", zone):
            raise ValueError(f"device.time_zone {zone!r} is no zone; it looks like 'Europe/Berlin'")
        return zone

    @field_validator("locale")
    @classmethod
    def _locale_form(cls, locale: str) -> str:
        if locale and not re.fullmatch(r"(C|[a-z]{2,3}_[A-Z]{2})\.UTF-8(@[a-z]+)?", locale):
            raise ValueError(f"device.locale {locale!r} is no locale; it looks like 'de_DE.UTF-8'")
        return locale

    @field_validator("keyboard")
    @classmethod
    def _layout_form(cls, layout: str) -> str:
        if layout and not re.fullmatch(r"[a-z]{2,12}", layout):
            raise ValueError(f"device.keyboard {layout!r} is no layout; it looks like 'de' or 'gb'")
        return layout


class UserTable(Table):
    """Who may log in on the device itself, with `sudo`. Needs a key or a password."""

    name: str = Field(description="Login name: a-z, 0-9, `-` and `_`.")
    ssh_keys: tuple[str, ...] = Field(default=(), description="Public keys, or files that hold them, such as `~/.ssh/id_ed25519.pub`.")
    password: str = Field(default="", description=f"{SECRET}; hashed before anything is written.")
    password_hash: str = Field(default="", description="Instead: its hash, as `openssl passwd -6` prints it.")

    @field_validator("name")
    @classmethod
    def _login_name(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name):
            raise ValueError(f"user.name {name!r} is no login name; it is of a-z, 0-9, - and _, and begins with a letter")
        if name in RESERVED:
            raise ValueError(f"user.name {name!r} belongs to the system; take another one")
        return name

    @field_validator("password_hash")
    @classmethod
    def _known_hash(cls, hashed: str) -> str:
        if hashed and not re.fullmatch(r"\$(6|5|y|2[aby])\$[./A-Za-z0-9=,$]{20,250}", hashed):
            raise ValueError("user.password_hash is no hash that the system takes; make one with openssl passwd -6")
        return hashed


class WifiTable(Table):
    """The wireless network; without this table the device is on a cable."""

    ssid: str = Field(min_length=1, description="Name of the network.")
    password: str = Field(default="", description=f"{SECRET}; only the key that WPA2 makes of it is written.")
    psk: str = Field(default="", description="Instead: that key, 64 hexadecimal digits.")
    country: str = Field(description="Where the device stands, two capital letters (ISO 3166): which channels are allowed.")
    hidden: bool = Field(default=False, description="The network does not tell its name.")
    security: Literal["wpa2", "wpa3", "open"] = Field(
        default="wpa2", description="`wpa2` (WPA2, and networks with both), `wpa3` (WPA3 alone; needs the password itself on the card), `open`."
    )

    @field_validator("ssid")
    @classmethod
    def _at_most_32_bytes(cls, ssid: str) -> str:
        if len(ssid.encode()) > 32:
            raise ValueError(f"wifi.ssid {ssid!r} is longer than 32 bytes, which no network's name is")
        return ssid

    @field_validator("country")
    @classmethod
    def _two_letters(cls, country: str) -> str:
        if not re.fullmatch(r"[A-Z]{2}", country):
            raise ValueError(f"wifi.country {country!r} is no country; it is two capital letters such as 'DE' or 'GB'")
        return country

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.psk and not re.fullmatch(r"[0-9a-f]{64}", self.psk):
            raise ValueError("wifi.psk is not 64 hexadecimal digits; name the network's password as wifi.password instead")
        if self.security == "open" and (self.password or self.psk):
            raise ValueError("wifi.security is 'open', but there is a password; take one of them out")
        if self.security == "wpa3" and self.psk:
            raise ValueError("wifi.security = 'wpa3' cannot use wifi.psk; name the password as wifi.password")
        return self


class CameraTable(Table):
    """The camera."""

    name: str = Field(default="camera", min_length=1, max_length=40, description="Its name in events and on the page.")
    kind: Literal["pi", "usb", "rtsp"] = Field(default="pi", description="`pi` (Raspberry Pi camera), `usb`, or `rtsp` (IP camera).")
    address: str = Field(default="", description="`rtsp`: its address, `rtsp://...`. `usb`: the device, such as `/dev/video0`; empty takes the first.")
    user: str = Field(default="", description="`rtsp`: user name.")
    password: str = Field(default="", description=f"`rtsp`: {SECRET}.")

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        if self.kind == "rtsp" and not re.match(r"(rtsps?|https?)://[^/\s]", self.address):
            raise ValueError(f"camera.kind is 'rtsp', so that camera.address begins with rtsp://, but is {self.address.rpartition('@')[2]!r}")
        if self.kind != "rtsp" and (self.user or self.password):
            raise ValueError(f"camera.user and camera.password are for kind 'rtsp', but the kind is {self.kind!r}")
        return self


class PlatesTable(Table):
    """Whose plates are expected."""

    country: str = Field(default="auto", description='`"auto"`, or a code such as `"de"`, several with commas between.')


class PageTable(Table):
    """The status page. Its user is `admin`; more users are made on the page."""

    password: str = Field(default="", description=f"{SECRET}; hashed before anything is written. At least 8 characters.")
    password_hash: str = Field(default="", description="Instead: its hash, as `platewatch web --set-password` prints it.")
    port: int = Field(default=8080, ge=1024, le=65535, description="Port of the page.")
    https: bool = Field(default=False, description="HTTPS with a certificate that the device makes itself; browsers ask once whether to trust it.")


class MqttTable(Table):
    """A broker that is told of events."""

    host: str = Field(min_length=1, description="The broker.")
    port: int | None = Field(default=None, ge=1, le=65535, description="Its port; unset: 1883, with `tls` 8883.")
    user: str = Field(default="", description="User name there.")
    password: str = Field(default="", description=f"{SECRET}; on the device in a file of its own.")
    tls: bool = Field(default=False, description="Speak TLS and check the broker's certificate.")
    topic: str = Field(default="", description="Topics begin with this; empty: `platewatch/CLIENT_ID`.")
    dialect: str = Field(default="native", description="`native`, `homeassistant` or another one that `mqtt` has (docs/targets.md).")


class Device(Table):
    """The whole file."""

    device: DeviceTable
    user: UserTable
    wifi: WifiTable | None = None
    camera: CameraTable = CameraTable()
    plates: PlatesTable = PlatesTable()
    page: PageTable
    mqtt: MqttTable | None = None
    config: dict[str, Any] = Field(default={}, description="Any other key of Platewatch's config (docs/configuration.md), as `[config.store]`.")


def good_key(line: str) -> bool:
    """Whether a line is a public SSH key as `authorized_keys` takes it, without options before it."""
    kind, _, rest = line.strip().partition(" ")
    try:
        raw = base64.b64decode(rest.split(" ")[0], validate=True)
    except (binascii.Error, ValueError):
        return False
    return kind.startswith(KEY_TYPES) and raw[4 : 4 + len(kind)] == kind.encode() and int.from_bytes(raw[:4], "big") == len(kind)
