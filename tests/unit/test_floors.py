"""The rule of floors: who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HOUSE = {"edge", "train", "convert", "deploy"}
ONLY_IN = {
    "picamera2": "edge/camera/pi.py",
    "ai_edge_litert": "edge/model/",
    "flask": "edge/web/",
    "uvicorn": "edge/web/",
    "a2wsgi": "edge/web/",
    "paho": "edge/publish/link.py",
}
COMMANDS = ("read", "run", "demo", "web", "doctor", "replay", "bench", "targets", "config")


def imports(house: str) -> list[tuple[str, str]]:
    """(file, module) of every import of a house, those inside functions too."""
    found = []
    for path in sorted((ROOT / house).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [f"{node.module}.{alias.name}" for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            found += [(path.relative_to(ROOT).as_posix(), name) for name in names]
    return found


def test_the_device_imports_nothing_of_the_others_and_no_tensorflow() -> None:
    """Not even inside a function."""
    forbidden = (HOUSE - {"edge"}) | {"tensorflow", "keras", "matplotlib", "PIL"}
    assert len(imports("edge")) > 50
    assert [(file, name) for file, name in imports("edge") if name.split(".")[0] in forbidden] == []


@pytest.mark.parametrize("package", ONLY_IN)
def test_what_only_some_devices_have_stands_in_one_place(package: str) -> None:
    """And is imported there."""
    files = {file for file, name in imports("edge") if name.split(".")[0] == package}
    assert files
    assert [file for file in files if not file.startswith(ONLY_IN[package])] == []


def test_deploy_knows_of_the_device_only_its_config_and_errors() -> None:
    """And how the page hashes a password and where it listens, so that each stands once."""
    ours = [(file, name) for file, name in imports("deploy") if name.split(".")[0] in HOUSE - {"deploy"}]
    assert [(file, name) for file, name in ours if not name.startswith(("edge.config", "edge.errors", "edge.web.auth", "edge.web.settings"))] == []


@pytest.mark.parametrize("words", [["--help"], *([command, "--help"] for command in COMMANDS)])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    """It answers in a blink also on a Pi: no numpy, OpenCV, pydantic, flask or LiteRT."""
    done = subprocess.run([sys.executable, "-X", "importtime", "-m", "edge", *words], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "argparse" in loaded
    assert loaded & {"numpy", "cv2", "pydantic", "flask", "rich", "ai_edge_litert"} == set()


def test_reading_a_config_and_serving_the_page_load_no_opencv_and_no_numpy() -> None:
    """They are 27 MB of memory that only the daemon needs."""
    code = "import sys, edge.config, edge.safe, edge.web.app, edge.web.site, edge.web.server; print(sorted({'cv2', 'flask', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "['flask']"
