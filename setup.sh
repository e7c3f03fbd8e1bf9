#!/usr/bin/env bash
# Sets Platewatch up by itself and does one thing:  ./setup.sh demo [--for SECONDS],  ./setup.sh pi  on a Raspberry Pi,  or  ./setup.sh test [PYTEST ARGUMENTS]
# Only what Python cannot do before it is there stands here; everything else is in the packages.
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '%s\n' "$*" >&2; }
fail() { say "setup: $*"; exit 1; }

usage() {
    say "usage: ./setup.sh demo [--for SECONDS] [--port PORT]   watch a bundled clip and open the status page"
    say "       ./setup.sh pi [--dry-run] [--config FILE]       on a Raspberry Pi: install this checkout for good"
    say "       ./setup.sh card [DEVICE.toml] [--help]          a card for a Raspberry Pi, from this computer: asks for all that it needs"
    say "       ./setup.sh test [PYTEST ARGUMENTS]              set up everything and run all tests"
    say "       ./setup.sh emulate [--list] [--only NAME]       boot the card that deploy flash writes, in QEMU (takes long)"
}

# Debian packages, if this user may install them without being asked; else name them.
apt_install() {
    local sudo=""
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || { [ -n "${may_ask:-}" ] && [ -t 0 ] && sudo -v; } || { say "setup: to install them: sudo apt-get install -y $*"; return 1; }
        sudo="sudo -n"
    fi
    command -v apt-get >/dev/null || { say "setup: no apt-get here; install the equivalent of: $*"; return 1; }
    say "setup: installing $*"
    export DEBIAN_FRONTEND=noninteractive
    $sudo apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 ||
        { $sudo apt-get update -qq >/dev/null 2>&1 && $sudo apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1; } ||
        { say "setup: apt-get could not install: $*"; return 1; }
}

find_python() {
    local name
    for name in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python3.14; do
        [ -n "$name" ] && command -v "$name" >/dev/null || continue
        "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && { command -v "$name"; return; }
    done
    return 1
}

make_venv() {
    [ -x .venv/bin/python ] && .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && .venv/bin/python -m pip --version >/dev/null 2>&1 && return
    local python options=()
    python=$(find_python) || { apt_install python3 python3-venv || true; python=$(find_python) || fail "Python 3.11 or newer is needed; Raspberry Pi OS Bookworm and later have it"; }
    # Pi OS brings picamera2 as a Debian package; a Pi camera needs the environment to see it.
    [ "$python" = /usr/bin/python3 ] && [ -d /usr/lib/python3/dist-packages/picamera2 ] && options+=(--system-site-packages)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv || fail "Python's venv module is missing; install python3-venv"
    say "setup: making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv "${options[@]}" .venv
}

# install NAME EXTRAS: the package and its dependencies, once for each state of pyproject.toml.
install() {
    make_venv
    local stamp
    stamp=".venv/.setup-$1-$(sha256sum pyproject.toml | cut -c1-16)"
    [ -e "$stamp" ] && return
    case "$(uname -m)" in x86_64 | aarch64) ;; *) fail "$(uname -m) has no TFLite runtime; a 64-bit system is needed (on a Raspberry Pi: the 64-bit Pi OS)" ;; esac
    say "setup: installing Python packages${2:+ $2} (once; needs the network)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".$2" || fail "pip could not install the packages; is the network there?"
    rm -f .venv/.setup-"$1"-*
    touch "$stamp"
}

case "${1:-}" in
demo)
    shift
    install run ""
    exec .venv/bin/python -m edge demo "$@"
    ;;
pi)
    shift
    # The system's own Python: the device's environment is made with it, and it sees Pi OS's picamera2.
    [ -x /usr/bin/python3 ] || fail "/usr/bin/python3 is missing: sudo apt-get install python3"
    for word in "$@"; do
        case "$word" in --dry-run | -h | --help) exec /usr/bin/python3 -B -m deploy here "$@" ;; esac
    done
    packages=$(/usr/bin/python3 -B -m deploy here --packages "$@") || exit 1
    may_ask=1
    # shellcheck disable=SC2086  # one word a package
    [ -z "$packages" ] || apt_install $packages || exit 1
    # pip is all that building takes; what the device needs goes into an environment of its own.
    PYTHON=/usr/bin/python3
    make_venv
    exec .venv/bin/python -m deploy here "$@"
    ;;
card)
    shift
    from=$OLDPWD
    [ "$(id -u)" != 0 ] || [ -O . ] || fail "run it without sudo, as the user whose folder this is; it asks for sudo itself, for the writing alone"
    may_ask=1
    install run ""
    # Debian 12's own pip judges wheels for another Python by the one that it runs in, and so refuses the device's.
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "pip>=24" || fail "pip could not be renewed; is the network there?"
    packages=""
    command -v mcopy >/dev/null || packages="mtools"
    command -v openssl >/dev/null || packages="$packages openssl"
    # shellcheck disable=SC2086  # one word a package; without them the command that needs one names it
    [ -z "$packages" ] || { say "setup: missing here, and installed now, for which sudo may ask for your password: $packages" && apt_install $packages || true; }
    exec .venv/bin/python -m deploy card --at "$from" "$@"
    ;;
test)
    shift
    install test "[train,test]"
    command -v chromium >/dev/null || apt_install chromium || say "setup: without Chromium the browser tests are skipped"
    # Many tests wait for a process, so that one worker more than there are cores pays; three are enough for the memory of a small machine.
    workers=$(($(nproc) + 1))
    exec .venv/bin/python -m pytest -n "$((workers < 3 ? workers : 3))" --dist loadfile "$@"
    ;;
emulate)
    shift
    install run ""
    command -v qemu-system-aarch64 >/dev/null && command -v mmdebstrap >/dev/null && command -v mke2fs >/dev/null && command -v mcopy >/dev/null && command -v mkfs.vfat >/dev/null ||
        apt_install qemu-system-arm ipxe-qemu qemu-user-static binfmt-support arch-test mmdebstrap mtools dosfstools e2fsprogs openssh-client openssl || true
    exec .venv/bin/python -m deploy.emulate "$@"
    ;;
-h | --help | help) usage ;;
*)
    usage
    exit 2
    ;;
esac
