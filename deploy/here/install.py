"""What root does: the same installation as that of a release, but of an archive that nobody signed, since it was made on this very machine a moment ago.

This is the one way in for what is not signed. `platewatch-deploy` on the device does not have it, and takes signed archives only, as ever.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from deploy.onboard import firstboot, ground, switch, update
from deploy.onboard.layout import Layout
from deploy.onboard.machine import Machine
from deploy.onboard.site import Site
from deploy.onboard.tarball import check

NOBODY = b"""# Public keys (minisign) of those whose releases this device takes. None yet: it was installed from a checkout.
# After platewatch-deploy trust --add FILE.pub, platewatch-deploy update works.
"""


def install(packed: Path, config: bytes | None = None, trusted: bytes | None = None, site: Site | None = None, camera: str = "") -> int:
    """0 where it runs, or ran already. `config` and `trusted` are the first installation's alone. Raises OnboardError, and then what ran before runs."""
    site = site or Site(Layout(), Machine())
    release = check(packed)
    with site.alone():
        update.check_idle(site)
        site.say(f"{release.id} was made from this checkout and is not signed.")
        ground.lay(site, trusted or NOBODY)
        if config is not None or not site.layout.config.is_file():
            ground.configure(site, config or (ground.CONFIG + camera).encode())
        if release.id == site.state.current:
            ground.put_tools(site, site.layout.current / "onboard.pyz")
            switch.start(site)  # what somebody took away or stopped
            site.say(f"{release.id} is installed already.")
            return 0
        update.bring(site, packed, release, update.Wish(downgrade=True, again=True))
    return update.settle(site)


def where(layout: Layout) -> list[str]:
    """How the owner goes on from here."""
    page = firstboot.address(layout)
    lines = [f"The page: {page}"]
    file, users = layout.etc / "setup-code", layout.etc / "access.json"
    if file.is_file() and not users.is_file():
        code = file.read_text(encoding="ascii", errors="replace").strip()
        lines = [f"Choose the page's password: {page}setup?code={quote(code)}", f"On another device: {page}, where it asks for the code {code}"]
    return [*lines, "sudo platewatch-deploy status tells how it is; sudo platewatch-deploy uninstall leaves nothing behind."]
