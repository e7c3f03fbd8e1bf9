"""What Raspberry Pi Imager is told of an image, and the parts of the product image that can be checked where it cannot be built."""

from __future__ import annotations

import hashlib
import json
import lzma
import re
import subprocess
from pathlib import Path

import pytest

from deploy.cli import main
from deploy.image.oslist import OsList, schema
from tests.cards import BOOKWORM, TOOLS, TRIXIE, image

ROOT = Path(__file__).parents[2] / "deploy/image"
ASKED_FOR = {"name", "description", "icon", "url", "extract_size", "extract_sha256", "image_download_size", "release_date", "devices", "init_format"}
"""What Imager's own description of the format requires, and what its list is filtered by."""


def packed(path):
    made = path.with_name(f"{path.name}.xz")
    made.write_bytes(lzma.compress(path.read_bytes(), preset=0))
    return made


@TOOLS
@pytest.mark.parametrize(("kind", "init"), [(TRIXIE, "cloudinit-rpi"), (BOOKWORM, "systemd"), (TRIXIE | {"rpi-preseed.toml": ""}, "rpi-preseed")])
def test_an_image_is_described_as_it_is(tmp_path, kind, init):
    """Sizes and hashes of both forms, and the init_format that its own boot partition shows."""
    disk = image(tmp_path / "platewatch.img", kind)
    file = packed(disk)
    assert main(["os-list", str(file), "--url", "https://example.org/platewatch.img.xz", "--release-date", "2026-11-23"]) == 0
    told = json.loads((tmp_path / "platewatch.img.xz.rpi-imager-manifest").read_text())
    [entry] = told["os_list"]
    assert set(entry) >= ASKED_FOR
    assert (entry["extract_size"], entry["extract_sha256"]) == (disk.stat().st_size, hashlib.sha256(disk.read_bytes()).hexdigest())
    assert (entry["image_download_size"], entry["image_download_sha256"]) == (file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest())
    assert entry["init_format"] == init
    assert {tag for board in told["imager"]["devices"] for tag in board["tags"]} == set(entry["devices"]) == {"pi5-64bit", "pi4-64bit", "pi3-64bit"}
    OsList.model_validate(told)


def test_a_format_that_is_named_needs_no_look_inside(tmp_path):
    """For images of other kinds; by default Imager is led to the very file."""
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(4096))
    assert main(["os-list", str(disk), "--init-format", "none", "--device", "pi5-64bit", "--out", str(tmp_path / "list.json")]) == 0
    [entry] = json.loads((tmp_path / "list.json").read_text())["os_list"]
    assert (entry["url"], entry["devices"], entry["extract_size"]) == (disk.as_uri(), ["pi5-64bit"], 4096)
    assert entry["extract_sha256"] == entry["image_download_sha256"]


@TOOLS
@pytest.mark.parametrize(
    "words",
    [
        ["--url", "platewatch.img.xz"],
        ["--url", "https://example.org/x y"],
        ["--release-date", "yesterday"],
        ["--name", "x" * 81],
        ["--release-date", "2026-99-99"],
        ["--name", ""],
        ["--out", "/nowhere/list.json"],
    ],
)
def test_what_imager_would_not_take_is_one_sentence(tmp_path, capsys, words):
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(4096))
    assert main(["os-list", str(disk), "--init-format", "none", *words]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["disk.img"]


def test_words_are_looked_at_before_the_image_is_read(tmp_path, capsys):
    """Minutes of reading are not spent for a name that is too long."""
    assert main(["os-list", str(tmp_path / "nothing.img"), "--out", str(tmp_path / "list.json"), "--name", "x" * 81]) == 1
    assert "--name: 1 to 80 characters" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["disk.img", "linked.img", "notes.txt"])
def test_the_list_is_never_written_over_the_image_nor_over_another_file(tmp_path, capsys, name):
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(4096))
    (tmp_path / "linked.img").hardlink_to(disk)
    (tmp_path / "notes.txt").write_text("mine\n")
    before = (tmp_path / name).read_bytes()
    assert main(["os-list", str(disk), "--init-format", "none", "--out", str(tmp_path / name)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert (tmp_path / name).read_bytes() == before
    for _ in range(2):  # an older list is written anew
        assert main(["os-list", str(disk), "--init-format", "none", "--out", str(tmp_path / "list.json")]) == 0


@TOOLS
def test_what_is_no_image_or_only_half_of_one_is_one_sentence(tmp_path, capsys):
    (tmp_path / "noise.img").write_bytes(bytes(4096))
    (tmp_path / "odd.img").write_bytes(bytes(1000))
    half = packed(image(tmp_path / "card.img", TRIXIE))
    half.write_bytes(half.read_bytes()[:-1000])
    for words in (["noise.img"], ["odd.img", "--init-format", "none"], ["card.img.xz"], ["nothing.img"]):
        assert main(["os-list", str(tmp_path / words[0]), *words[1:]]) == 1
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert not list(tmp_path.glob("*manifest"))


def test_the_published_schema_is_that_of_the_code():
    """`python -c 'from deploy.image.oslist import schema; print(schema(), end="")' > deploy/image/os_list.schema.json` after a change."""
    assert (ROOT / "os_list.schema.json").read_text() == schema()


LAYER, CONFIG = ROOT / "rpi-image-gen/layer/platewatch.yaml", ROOT / "rpi-image-gen/config/platewatch.yaml"


def about(text):
    """X-Env-... -> its value, of a layer's head, which is written as Debian's control files are."""
    head = re.search(r"# METABEGIN\n(.*?)# METAEND\n", text, re.S)
    assert head
    lines = "\n".join(line[2:] if line.startswith("# ") else line[1:] for line in head[1].splitlines())
    return {key: re.sub(r"\n +", " ", value).strip() for key, value in re.findall(r"^(X-Env-[\w-]+):((?:.*\n(?: .*\n?)*))", lines + "\n", re.M)}


def test_the_layer_declares_every_variable_that_it_uses():
    text = LAYER.read_text()
    told = about(text)
    assert told["X-Env-Layer-Name"] == "platewatch"
    assert re.fullmatch(r"\d+\.\d+\.\d+", told["X-Env-Layer-Version"])
    used = set(re.findall(r"IGconf_(\w+)", text))
    prefix = told["X-Env-VarPrefix"]
    declared = {key.removeprefix("X-Env-Var-") for key in told if key.startswith("X-Env-Var-") and key.count("-") == 3}
    assert used == {f"{prefix}_{name}" for name in declared}
    for name in declared:
        assert {f"X-Env-Var-{name}-{what}" for what in ("Desc", "Required", "Valid", "Set")} <= set(told)


def test_the_layers_hooks_make_what_they_say(tmp_path):
    """Each is a shell script; run on a folder they lay the kit there and write a unit that systemd has nothing to say against."""
    yaml = pytest.importorskip("yaml", reason="pyyaml is not installed")
    layer = yaml.safe_load(LAYER.read_text())["mmdebstrap"]
    assert {"python3-picamera2", "openssl", "cloud-init", "rpi-cloud-init-mods"} <= set(layer["packages"])
    kit, root, hooks = tmp_path / "kit", tmp_path / "root", tmp_path / "hooks"
    kit.mkdir()
    hooks.mkdir()
    (root / "etc/systemd/system").mkdir(parents=True)
    (kit / "kit.json").write_text("{}")
    (hooks / "enable-units").write_text('#!/bin/sh\necho "$2" > "$1/enabled"\n')
    (hooks / "enable-units").chmod(0o755)
    environment = {"PATH": "/usr/bin:/bin", "IGconf_platewatch_kit": str(kit), "BDEBSTRAP_HOOKS": str(hooks)}

    def run(hook):
        return subprocess.run(["sh", "-c", hook, "hook", str(root)], env=environment, capture_output=True, text=True, check=False).returncode

    assert run(layer["customize-hooks"][0]) != 0  # a kit without firstboot.sh makes no image
    (kit / "firstboot.sh").write_text("true\n")
    assert [run(hook) for hook in layer["customize-hooks"]] == [0, 0, 0]
    assert (root / "boot/firmware/platewatch/kit.json").exists()
    assert (root / "enabled").read_text() == "platewatch-image\n"
    unit = (root / "etc/systemd/system/platewatch-image.service").read_text().splitlines()
    assert unit[0] == "[Unit]"
    assert "ConditionPathExists=!/var/lib/platewatch-image.done" in unit
    assert "ExecStart=/bin/sh /boot/firmware/platewatch/firstboot.sh" in unit


def test_the_config_names_the_layer():
    yaml = pytest.importorskip("yaml", reason="pyyaml is not installed")
    config = yaml.safe_load(CONFIG.read_text())
    assert "platewatch" in config["layer"]
    assert config["image"]["layer"] == "image-rpios"
