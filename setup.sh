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

# PROGRAM=PACKAGE (or FILE=PACKAGE): what tests skip without. No package that starts a service or says how this machine boots: cloud-init, openssh-server and
# PostgreSQL are left to you, and mosquitto is unpacked, not installed.
NEEDED="chromium=chromium mcopy=mtools mkfs.vfat=dosfstools sfdisk=fdisk mke2fs=e2fsprogs openssl=openssl systemd-analyze=systemd minisign=minisign curl=curl cpio=cpio
    ssh=openssh-client shellcheck=shellcheck ansible-playbook=ansible-core gst-launch-1.0=gstreamer1.0-tools /usr/lib/python3/dist-packages/gi=python3-gi
    /usr/lib/*/girepository-1.0/GstRtspServer-1.0.typelib=gir1.2-gst-rtsp-server-1.0 /usr/lib/*/gstreamer-1.0/libgstrtp.so=gstreamer1.0-plugins-good
    /usr/lib/*/gstreamer-1.0/libgstvideotestsrc.so=gstreamer1.0-plugins-base /usr/lib/*/gstreamer-1.0/libgstx264.so=gstreamer1.0-plugins-ugly"
ROOT_NEEDED="systemd-nspawn=systemd-container mmdebstrap=mmdebstrap"

# missing PROGRAM=PACKAGE...: the packages of those that are not here, one a line.
missing() {
    local pair PATH="$PATH:/usr/sbin:/sbin"
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null || compgen -G "${pair%%=*}" >/dev/null || echo "${pair#*=}"
    done
}

# unpack FOLDER PACKAGE PROGRAM...: the package, and what it needs and is not here, into the folder; nothing is installed. Its programs can be run in FOLDER/bin.
unpack() {
    local to=$1 package=$2 program found
    shift 2
    say "setup: unpacking $package, which is not installed, since that would start a service"
    rm -rf "$to"
    mkdir -p "$to/debs/partial" "$to/bin"
    fetch "$to/debs" "$package" || { [ "$(id -u)" = 0 ] && apt-get update -qq >/dev/null 2>&1 && fetch "$to/debs" "$package"; } || return 1
    for found in "$to"/debs/*.deb; do dpkg-deb -x "$found" "$to" || return 1; done
    rm -rf "$to/debs"
    for program in "$@"; do
        found=$(find "$PWD/$to/usr" -path "*bin/$program")
        [ -n "$found" ] || return 1
        printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s" "$@"\n' "$(echo "$PWD/$to"/usr/lib/*-linux-gnu*)" "$found" >"$to/bin/$program"
        chmod +x "$to/bin/$program"
    done
}

# fetch FOLDER PACKAGE: also without root.
fetch() {
    local options=(-y -qq --no-install-recommends -o Debug::NoLocking=1 -o APT::Sandbox::User= -o "Dir::Cache::Archives=$PWD/$1")
    apt-get install --download-only "${options[@]}" "$2" >/dev/null 2>&1
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
    # shellcheck disable=SC2086  # one word a pair; none of them is a file
    packages=$(missing $NEEDED && { [ "$(id -u)" != 0 ] || missing $ROOT_NEEDED; })
    # shellcheck disable=SC2086  # one word a package
    [ -z "$packages" ] || apt_install $packages || say "setup: tests that need one of these are skipped; ./setup.sh test -rs says why"
    unpacked=.venv/unpacked
    [ -z "$(missing mosquitto=mosquitto)" ] || [ -x $unpacked/bin/mosquitto_passwd ] || unpack $unpacked mosquitto mosquitto mosquitto_passwd ||
        say "setup: tests that need mosquitto are skipped"
    export PATH="$PATH:$PWD/$unpacked/bin"
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
