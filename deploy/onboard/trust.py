"""`trust`: whose releases this device takes. Root says so here, by name; no installation, update or backup ever does.

A key is exchanged by adding the new one, bringing a release that it signed, and removing the old one: at no moment is there none.
"""

from __future__ import annotations

from collections.abc import Sequence

from deploy.onboard import disk
from deploy.onboard.errors import OnboardError
from deploy.onboard.signature import COMMENT, MOST_TRUSTED, PublicKey, key_of, keys_in
from deploy.onboard.site import Site


def known(site: Site) -> list[PublicKey]:
    """In the order of the file; none where it holds remarks alone. Raises OnboardError where it is missing or a line in it is no key."""
    path = site.layout.trusted
    if not path.is_file():
        raise OnboardError(f"{path}: there is no such file; a first installation makes it: platewatch-deploy install ARCHIVE --trusted FILE")
    return keys_in(path.read_bytes(), str(path))


def change(site: Site, add: Sequence[PublicKey], remove: Sequence[str]) -> None:
    """`remove` are names as `trust` lists them. Everything is checked first, and the file is exchanged whole; the owner's remarks in it stay."""
    there, path = known(site), site.layout.trusted
    going = {name.upper() for name in remove}
    if strange := sorted(going - {key.name for key in there}):
        raise OnboardError(f"{strange[0]}: no key of that name is trusted here; these are: {names(there)}")
    if both := sorted(going & {key.name for key in add}):
        raise OnboardError(f"{both[0]}: is to be added and to be removed; say one of the two")
    fresh = [key for key in dict.fromkeys(add) if key not in there]
    if going and not [*fresh, *(key for key in there if key.name not in going)]:
        raise OnboardError(
            f"{names(there)}: would leave no key, and then no update could ever be taken; add the new one first, or in the same command: --add FILE"
        )
    lines = _without(path.read_bytes().decode().splitlines(), going)
    for key in fresh:
        lines += [f"{COMMENT} minisign public key {key.name}", key.line]
    content = "".join(f"{line}\n" for line in lines).encode()
    if len(content) > MOST_TRUSTED:
        raise OnboardError(f"{path}: would be larger than {MOST_TRUSTED} bytes; remove keys that sign no more")
    if fresh or going:
        site.write(path, content)
        site.step("trusted")
        did = [f"{names(fresh)} is trusted from now on"] if fresh else []
        did += [f"{', '.join(sorted(going))} is trusted no more"] if going else []
        site.report("; ".join(did) + ".")


def names(keys: Sequence[PublicKey]) -> str:
    return ", ".join(key.name for key in keys) or "none"


def told(site: Site) -> str:
    """One line, the last that the command says: who asks over SSH shows it."""
    return f"trusts {names(known(site))}"


def read(source: str) -> list[PublicKey]:
    """Of a .pub file; raises OnboardError for any other."""
    try:
        with open(source, "rb") as stream:
            raw = stream.read(MOST_TRUSTED + 1)
    except OSError as error:
        raise OnboardError(disk.plainly(error)) from None
    if len(raw) > MOST_TRUSTED:
        raise OnboardError(f"{source}: is larger than {MOST_TRUSTED} bytes, so it is no file of public keys")
    if not (found := keys_in(raw, source)):
        raise OnboardError(f"{source}: holds no public key; give the .pub file that `deploy keys new` or minisign made")
    return found


def _without(lines: list[str], going: set[str]) -> list[str]:
    """A removed key takes minisign's remark above it along."""
    kept: list[str] = []
    for line in lines:
        key = key_of(line.removeprefix("\ufeff").strip())
        if key is None or key.name not in going:
            kept.append(line)
        elif kept and kept[-1].startswith(COMMENT):
            kept.pop()
    return kept
