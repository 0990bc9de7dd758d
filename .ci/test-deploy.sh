#!/bin/sh
# Brings deploy/ up on a real Docker engine and tests it. An engine that answers is used as
# it is; where none does, root gets one of its own from Debian's packages, with its data in
# a temporary directory. Images that cannot be pulled are replaced by stand-ins.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
engine=
finish() {
  if [ -n "$engine" ]; then
    kill "$engine" 2>/dev/null && wait "$engine" || true
  fi
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

install() { # install PROGRAM PACKAGE ...
  packages=
  while [ $# -gt 0 ]; do
    command -v "$1" >/dev/null 2>&1 || packages="$packages $2"
    shift 2
  done
  [ -n "$packages" ] || return 0
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "test:deploy needs:$packages (and root, to start a Docker engine, where none runs)" >&2
    exit 1
  fi
  echo "installing:$packages"
  apt-get update -qq
  # RUNLEVEL keeps the packages from starting services of their own.
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $packages >"$work/apt.log" 2>&1 ||
    { tail -n 20 "$work/apt.log" >&2; exit 1; }
}

if ! docker info >/dev/null 2>&1; then
  # iptables: the engine's networks; it is only recommended by the package.
  install dockerd docker.io iptables iptables
  echo "starting a Docker engine"
  export DOCKER_HOST="unix://$work/docker.sock"
  dockerd --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/pid" -H "$DOCKER_HOST" >"$work/engine.log" 2>&1 &
  engine=$!
  tries=0
  until docker info >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 60 ] || ! kill -0 "$engine" 2>/dev/null; then
      tail -n 20 "$work/engine.log" >&2
      exit 1
    fi
    sleep 1
  done
fi

for image in $(sed -n 's/^ *image: *\([^ ]*[:/][^ ]*\).*/\1/p' deploy/docker-compose.yml) $(sed -n 's/^FROM \([^ ]*:[^ ]*\) .*/\1/p' deploy/Dockerfile); do
  docker image inspect "$image" >/dev/null 2>&1 || docker pull -q "$image" >/dev/null 2>&1 || unpulled=1
done
if [ -n "${unpulled:-}" ]; then
  install redis-server redis-server haproxy haproxy prometheus prometheus /bin/busybox busybox-static
  sh .ci/stand-ins.sh
fi

echo "building the image"
# The builder that is part of every engine; the newer one is a plugin.
DOCKER_BUILDKIT=0 docker build -f deploy/Dockerfile -t socketio-chat . >"$work/build.log" 2>&1 ||
  { tail -n 40 "$work/build.log" >&2; exit 1; }

if [ -z "${COMPOSE:-}" ]; then
  GOBIN="$work/bin" go install github.com/docker/compose/v5/cmd@v5.0.2
  export COMPOSE="$work/bin/cmd"
fi
npm ci --prefix pkg/e2e/node --no-audit --no-fund --loglevel=error
cd pkg/e2e/node
node --test --test-reporter=spec --test-concurrency=1 deploy/*.test.mjs
