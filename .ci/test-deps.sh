#!/bin/sh
# Looks for the programs which the tests start: a Redis server, a browser, proxies, Prometheus, python-socketio, and the C
# compiler that Go's race detector needs.
#   check    says what is missing and how to get it
#   install  installs it where apt-get can; says what to install elsewhere
set -eu

missing=""
need() { # need PROGRAM PACKAGE
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need cc gcc
need redis-server redis-server
need chromium chromium
need haproxy haproxy
need nginx nginx
need prometheus prometheus
case "$missing" in *gcc*) missing="$missing libc6-dev" ;; esac
if ! command -v npm >/dev/null 2>&1; then
	echo "The tests need Node.js 20.19 or newer, with npm: see https://nodejs.org" >&2
	exit 1
fi
# The clients in Python: the modules of the system's own interpreter, whatever other there is.
need_module() { # need_module MODULE PACKAGE
	"${PYTHON:-/usr/bin/python3}" -c "import $1" >/dev/null 2>&1 || missing="$missing $2"
}
need_module socketio python3-socketio
need_module requests python3-requests
need_module websocket python3-websocket
need_module aiohttp python3-aiohttp
[ -n "$missing" ] || exit 0

if [ "${1:-install}" = check ]; then
	cat >&2 <<MESSAGE
The tests need programs that are not here:$missing

Install them with this system's package manager. On Debian and Ubuntu:
  sudo apt-get install -y --no-install-recommends$missing
or, the same without starting services of them:
  go run github.com/go-task/task/v3/cmd/task@v3.39.2 test:deps
MESSAGE
	exit 1
fi

fail() {
	echo "The tests need programs that are not here:$missing" >&2
	echo "$1" >&2
	exit 1
}

if ! command -v apt-get >/dev/null 2>&1; then
	fail "Install them with this system's package manager and run the tests again."
fi
sudo=""
if [ "$(id -u)" -ne 0 ]; then
	if ! sudo -n true 2>/dev/null; then
		fail "Run: sudo apt-get install -y$missing"
	fi
	sudo="sudo -n"
fi

echo "installing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Redis, the proxies and Prometheus are for the tests to start, on ports of their own: RUNLEVEL keeps
# the packages from starting them as services where that would be possible.
if ! {
	$sudo apt-get update -qq &&
		$sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
			apt-get install -y -qq --no-install-recommends $missing
} >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	fail "apt-get could not install them; its last words stand above."
fi
