"""What an owner may want besides: the page announced in the home network, and all that changes on a partition of its own, for a root that is read-only."""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape

from edge.errors import ConfigError

MOVED = ("/etc/platewatch", "/opt/platewatch", "/var/lib/platewatch", "/var/lib/platewatch-deploy", "/var/lib/systemd/timesync", "/var/log/journal")
"""What must outlast a restart: settings, releases, events, the updater's memory, the clock's last time, the journal."""
DATA = "/data"
ANNOUNCEMENT = """<?xml version="1.0" standalone="no"?>
<!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<!-- The page of Platewatch, for who browses the network. The name NAME.local itself needs no file. -->
<service-group>
  <name replace-wildcards="yes">Platewatch on %h</name>
  <service>
    <type>_{scheme}._tcp</type>
    <port>{port}</port>
    <txt-record>path=/</txt-record>
  </service>
</service-group>
"""
PARTITION = """[Unit]
Description=Platewatch: the partition with all that changes
Wants={fsck}
After={fsck}

[Mount]
What=/dev/disk/by-label/{label}
Where={data}
Type=ext4
Options=noatime,nosuid,nodev,errors=remount-ro

[Install]
WantedBy=local-fs.target
"""
BIND = """[Unit]
Description=Platewatch: {where} on the partition with all that changes
# Without the partition the services do not start, rather than write into memory what is lost; the rest of the system does.
RequiresMountsFor={data}

[Mount]
What={what}
Where={where}
Type=none
Options=bind

[Install]
WantedBy=local-fs.target
"""


def announcement(config: Path) -> dict[str, str]:
    """File for /etc/avahi/services -> text, with the port of the configuration; ConfigError where that cannot be used, or lets nobody else in."""
    from edge.config import load
    from edge.web.settings import LOOPBACK

    web = load(config).web
    if web.host in LOOPBACK:
        raise ConfigError(f"{config}: web.host is {web.host}, so that nobody else is answered; announce a page that others can reach")
    return {"platewatch.service": ANNOUNCEMENT.format(scheme=escape("https" if web.encrypted else "http"), port=web.port)}


def partition(label: str) -> dict[str, str]:
    """Mount units -> text, for an ext4 partition of that label; raises ConfigError for one that ext4 does not take."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", label):
        raise ConfigError(f"{label!r}: is no label for the partition; up to 16 letters, digits, - and _")
    fsck = f"systemd-fsck@{escaped(f'/dev/disk/by-label/{label}')}.service"
    made = {f"{escaped(DATA)}.mount": PARTITION.format(label=label, data=DATA, fsck=fsck)}
    return made | {f"{escaped(where)}.mount": BIND.format(where=where, what=home(where), data=DATA) for where in MOVED}


def home(where: str) -> str:
    """Where a folder lies on the partition: under the same name as its unit, so that it is found."""
    return f"{DATA}/{where.strip('/').replace('/', '-')}"


def escaped(path: str) -> str:
    """As `systemd-escape --path` does."""
    return re.sub(r"[^A-Za-z0-9_.:-]|-|^\.", lambda sign: "-" if sign[0] == "/" else "".join(f"\\x{byte:02x}" for byte in sign[0].encode()), path.strip("/"))
