"""`./setup.sh pi` on a Debian with its own systemd, then the real daemon and the real page under their real units, in the order of an owner's life."""

from __future__ import annotations

import json
import re
import socket

import pytest

from deploy.units import optional
from tests import nspawn
from tests.installed import CLIP, CONFIG, Device, or_skipped, owned, set_up
from tests.nspawn import Container

pytestmark = pytest.mark.skipif(bool(nspawn.unable()), reason=nspawn.unable())
PASSWORD = "a gate by the lake"


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    with or_skipped(), owned(tmp_path_factory.mktemp("nspawn")) as container:
        yield container


@pytest.fixture(scope="module")
def device(bare):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (bare.root / "home/pi/mine.toml").write_text(CONFIG.format(clip=CLIP, port=port))
    return Device(bare, port, set_up(bare, "--anyway", "--config", "/home/pi/mine.toml"))


def test_a_machine_that_is_no_pi_is_left_alone_unless_told_and_a_dry_run_only_tells(bare):
    before = bare.sh("find /etc /opt /var/lib /usr/local /home | sort")
    said = set_up(bare, check=False)
    assert "this is no Raspberry Pi" in said
    assert "--anyway" in said
    said = set_up(bare, "--anyway", "--dry-run")
    assert "Nothing was changed." in said
    assert "all are there" in said
    assert bare.sh("find /etc /opt /var/lib /usr/local /home | sort") == before


def test_it_is_installed_as_a_release_is_and_says_that_nobody_signed_it(device):
    c, said = device.container, device.said
    assert "is not signed" in said
    id = c("readlink", "/opt/platewatch/current").strip().removeprefix("releases/")
    assert f"{id} runs: 60 seconds without a fault" in said
    c("test", "-e", f"/opt/platewatch/releases/{id}/COMPLETE")
    c("cp", "-r", "/home/pi/.cache/platewatch/here", "/tmp/unsigned")
    assert "signature" in c("sh", "-c", "platewatch-deploy update /tmp/unsigned/platewatch-*.tar 2>&1; true"), "elsewhere nothing unsigned is taken"
    assert {c.show(f"platewatch{unit}", "ActiveState") for unit in ("", "-web", "-trial.timer")} == {"active"}


def test_a_second_time_changes_nothing(device):
    c = device.container
    before, pid = c.sh("ls -l /opt/platewatch /opt/platewatch/releases /etc/platewatch"), device.pid()
    assert "is installed already" in set_up(c, "--anyway")
    assert (c.sh("ls -l /opt/platewatch /opt/platewatch/releases /etc/platewatch"), device.pid()) == (before, pid)


def test_the_page_asks_for_the_code_that_the_installation_has_told_and_then_belongs_to_its_owner(device):
    c = device.container
    assert device.ask("/healthz")[0] == 200
    code = c("cat", "/etc/platewatch/setup-code").strip()
    assert code in device.said
    assert device.ask("/api/events")[0] in (401, 503)
    form = {"code": code, "password": PASSWORD, "again": PASSWORD}
    assert device.post("/setup", **form | {"code": "AAAAA-AAAAA"})[0] == 403
    assert device.post("/setup", **form)[0] == 303
    more = ["--new-token", "test", "--scopes", "status:read,events:read,settings:read,settings:write"]
    said = c("/usr/local/bin/platewatch", "web", "--config", "/etc/platewatch/platewatch.toml", *more, user="platewatch")
    device.token = re.search(r"pw_\S+", said)[0]
    assert device.ask("/api/settings")[0] == 200


def test_the_clip_is_read_and_its_events_appear_on_the_page(device):
    device.watches()
    device.container.wait(device.events, "an event")
    assert json.loads(device.ask("/api/events")[1])["events"][0]["text"]


def test_both_run_in_their_sandbox_and_this_systemd_scores_them_too(device):
    c = device.container
    for unit in ("platewatch", "platewatch-web"):
        about = dict(line.split(":\t") for line in c("cat", f"/proc/{device.pid(unit)}/status").splitlines() if ":\t" in line)
        assert {about[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
        assert (about["NoNewPrivs"], about["Seccomp"]) == ("1", "2")
        assert about["Uid"].split()[0] == c("id", "-u", "platewatch").strip()
        said = c("systemd-analyze", "security", "--no-pager", f"{unit}.service")
        assert float(re.search(r"exposure level for \S+: ([0-9.]+)", said)[1]) <= 1.5
        warned = c("sh", "-c", f"systemd-analyze verify --man=no /etc/systemd/system/{unit}.service 2>&1")
        assert "platewatch" not in warned


def test_files_are_written_only_where_they_may_be(device):
    c = device.container

    def attempt(unit: str, folder: str) -> bool:
        inside = ["nsenter", "-t", device.pid(unit), "-m", "--", "runuser", "-u", "platewatch", "--"]
        return c(*inside, "sh", "-c", f"touch {folder}/attempt 2>/dev/null && rm {folder}/attempt && echo yes", check=False).strip() == "yes"

    allowed = {"/var/lib/platewatch", "/run/platewatch", "/tmp", "/var/tmp"}
    places = [*allowed, "/etc/platewatch", "/opt/platewatch/current", "/etc", "/var/lib", "/var/log", "/home/pi", "/usr/local/bin", "/run"]
    for unit, more in (("platewatch", set()), ("platewatch-web", {"/etc/platewatch"})):
        assert {place for place in places if attempt(unit, place)} == allowed | more
    theirs = c.sh("find / -xdev -user platewatch -not -path '/proc/*' 2>/dev/null").split()
    strange = [path for path in theirs if not path.startswith(("/etc/platewatch", "/var/lib/platewatch"))]
    assert [path for path in strange if "systemd-private" not in path] == []
    assert c("stat", "-c", "%a %U", "/var/lib/platewatch", "/etc/platewatch").split() == ["750", "platewatch", "1770", "root"]


def test_a_camera_that_belongs_to_the_group_video_opens_in_a_user_namespace(device):
    """/dev/video9 is /dev/null under another name: the right of the group is what is asked for."""
    run = ["systemd-run", "--quiet", "--wait", "--pipe", "-p", "PrivateUsers=yes", "-p", "DevicePolicy=closed", "-p", "CapabilityBoundingSet="]
    assert device.container(*run, "-p", "User=platewatch", "sh", "-c", "id -Gn; echo >/dev/video9 && echo opened").split()[-1] == "opened"
    assert "opened" not in device.container(*run, "-p", "User=pi", "sh", "-c", "echo >/dev/video9 && echo opened", check=False)


def test_the_page_saves_settings_and_the_daemon_has_them_without_a_restart(device):
    pid = device.watches()
    status, told = device.settings(store__retention_days=11)
    assert (status, told.get("in_force")) == (200, True), told
    assert "retention_days = 11" in device.container("cat", "/etc/platewatch/platewatch.toml")
    assert device.pid() == pid


def test_a_reload_by_systemd_reads_the_config_again(device):
    c, pid = device.container, device.watches()
    c("sed", "-i", "s/retention_days = 11/retention_days = 12/", "/etc/platewatch/platewatch.toml")
    before = device.journal()
    c("systemctl", "reload", "platewatch")
    c.wait(lambda: "retention_days" in device.journal()[len(before) :] or "config" in device.journal()[len(before) :], "a word about it")
    assert device.pid() == pid


def test_a_relay_whose_pin_is_not_there_is_a_sentence_and_without_it_all_goes_on(device):
    (device.container.root / "etc/platewatch/allow.csv").write_text("plate\nAB12CDE\n")
    status, told = device.settings(lists__allow=["allow.csv"], gate__enabled=True, gate__dry_run=False, gate__gpio=17)
    assert status == 200, told
    device.container("systemctl", "restart", "platewatch")
    device.container.wait(lambda: "gpiozero is not installed" in device.status().get("detail", ""), "a sentence about the relay")
    assert "Traceback" not in device.journal()
    assert device.settings(gate__enabled=False, gate__dry_run=True)[0] == 200
    device.watches()


def test_killed_it_is_back_and_the_page_never_left(device):
    page, daemon = device.pid("platewatch-web"), device.watches()
    device.container("kill", "-9", daemon)
    assert device.watches(but=daemon) != daemon
    assert device.pid("platewatch-web") == page


def test_a_daemon_that_stands_still_is_ended_by_its_watchdog_and_begins_anew(device):
    """With a shorter patience than the unit's 60 s."""
    c = device.container
    c.sh("mkdir -p /run/systemd/system/platewatch.service.d && printf '[Service]\\nWatchdogSec=20\\n' >/run/systemd/system/platewatch.service.d/test.conf")
    c("systemctl", "daemon-reload")
    c("systemctl", "restart", "platewatch")
    stopped = device.watches()
    c("kill", "-STOP", stopped)
    assert device.watches(but=stopped) != stopped
    assert "Watchdog timeout" in device.journal()
    c.sh("rm -r /run/systemd/system/platewatch.service.d && systemctl daemon-reload")


def test_the_page_lives_without_the_daemon(device):
    c, page = device.container, device.pid("platewatch-web")
    c("systemctl", "stop", "platewatch")
    assert device.ask("/healthz")[0] in (200, 503)
    assert device.ask("/api/events?limit=1")[0] == 200
    assert device.pid("platewatch-web") == page
    c("systemctl", "start", "platewatch")
    device.watches()


def test_a_trial_that_nobody_judges_is_found_by_the_timer(device):
    """Its judge was killed and gave up: the state still says that something is on trial."""
    c = device.container
    c("systemctl", "start", "platewatch-trial")
    assert c.show("platewatch-trial", "ExecCondition").count("status=1") == 1, "with nothing on trial it does nothing"
    state = json.loads(c("cat", "/var/lib/platewatch-deploy/state.json"))
    id = c("readlink", "/opt/platewatch/current").strip().removeprefix("releases/")
    state["trial"] = {"id": id, "from": "", "kind": "first", "frames": True, "page": True, "boots": 0, "boot": "", "since": "", "failed": ""}
    (c.root / "var/lib/platewatch-deploy/state.json").write_text(json.dumps(state, indent=1, sort_keys=True))
    c("systemctl", "start", "platewatch-trial")
    c.wait(lambda: json.loads(c("cat", "/var/lib/platewatch-deploy/state.json"))["trial"] is None, "the verdict")


def test_after_a_power_cut_all_of_it_is_back_by_itself(device):
    c, before = device.container, device.events()
    c.cut_power()
    c.power_on()
    device.watches()
    c.wait(lambda: device.ask("/healthz")[0] == 200, "the page")
    assert device.events() >= before
    assert c("systemctl", "show", "--value", "--property=RuntimeWatchdogUSec").strip() == "14s"
    assert "SystemMaxUse=64M" in c("systemd-analyze", "cat-config", "systemd/journald.conf")
    assert c.show("platewatch-trial.timer", "ActiveState") == "active"
    assert "platewatch" not in c("systemctl", "list-units", "--failed", "--plain", "--no-legend")


def test_with_a_root_that_forgets_all_that_matters_is_kept_on_a_partition_of_its_own(device, tmp_path):
    """As deploy/README.md says it; a folder of the host's is the partition, and each start has a fresh layer over the root."""
    owner = device.container
    owner("sync")
    owner.cut_power()
    layers = (owner.upper,)
    try:
        with Container(tmp_path / "moving", owner.binds, layers) as c:
            c("systemctl", "stop", "platewatch", "platewatch-web")
            for folder in optional.MOVED:
                c.sh(f"mkdir -p {folder} && cp -aT {folder} {optional.home(folder)}")
            program = "/opt/platewatch/current/.venv/bin/python"
            c(program, "-m", "deploy", "units", "--only", "data", "--out", "/etc/systemd/system")
            c.sh("rm /etc/systemd/system/data.mount")  # there is no disk in a container; its place is taken already
            c.sh("systemctl daemon-reload && cd /etc/systemd/system && systemctl enable *platewatch*.mount var-*.mount")
            c("sync")
        layers = (tmp_path / "moving/upper", *layers)
        for turn in ("one", "other"):
            with Container(tmp_path / turn, owner.binds, layers) as device.container:
                c = device.container
                assert {c("findmnt", "-n", "-o", "TARGET", "--mountpoint", folder).strip() for folder in optional.MOVED} == set(optional.MOVED)
                device.watches()
                c.wait(lambda: device.ask("/healthz")[0] == 200, "the page")
                if turn == "one":
                    assert device.settings(store__retention_days=13)[0] == 200
                    c("touch", "/etc/forgotten")
                    c.wait(device.events, "an event")
                    before = device.events()
                else:
                    assert "retention_days = 13" in c("cat", "/etc/platewatch/platewatch.toml")
                    assert c.sh("test -e /etc/forgotten || echo gone").strip() == "gone"
                    assert device.events() >= before > 0
                c("sync")
    finally:
        device.container = owner
        owner.power_on()


def test_uninstalled_it_leaves_nothing(device):
    c = device.container
    c("platewatch-deploy", "uninstall")
    left = c.sh("find / -xdev -name '*platewatch*' -not -path '/proc/*' -not -path '/home/*' -not -path '/sys/*' 2>/dev/null").split()
    assert [path for path in left if not path.startswith(("/tmp/", "/var/log/journal", "/var/tmp/"))] == []
    assert "platewatch" not in c("cat", "/etc/passwd")
    assert device.ask("/healthz")[0] == 0
