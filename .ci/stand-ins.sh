#!/bin/sh
# Makes images under the names that deploy/ asks for, out of the programs that Debian's
# packages have put on this machine: for test:deploy, where no image can be pulled. An
# image that the engine has already is left alone.
#
# Grafana is not in Debian: its stand-in answers for it, and refuses to start without the
# dashboard and the data source where Grafana would look for them.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# busybox DIR: a file system with a shell, the usual commands and what TLS needs.
busybox() {
  mkdir -p "$1/bin" "$1/etc/ssl/certs" "$1/root" "$1/usr/bin"
  mkdir -m 1777 "$1/tmp"
  cp /bin/busybox "$1/bin/busybox"
  for command in $(/bin/busybox --list); do
    [ "$command" = busybox ] || ln -s busybox "$1/bin/$command"
  done
  ln -s ../../bin/env "$1/usr/bin/env"
  cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/"
  printf 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' >"$1/etc/passwd"
}

# program DIR PATH...: copies programs and the libraries they need.
program() {
  dir=$1
  shift
  for file in "$@"; do
    mkdir -p "$dir/bin"
    cp "$(readlink -f "$file")" "$dir/bin/$(basename "$file")"
    ldd "$file" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do
      mkdir -p "$dir$(dirname "$library")"
      cp -L "$library" "$dir$library"
    done
  done
}

# image NAME DIR CHANGE...: imports the file system unless there is such an image.
image() {
  name=$1 dir=$2
  shift 2
  changes=
  for change in "$@"; do
    changes="$changes --change '$change'"
  done
  eval "tar -C '$dir' -c . | docker import $changes - '$name'" >/dev/null
  echo "stand-in for $name"
}

missing() { ! docker image inspect "$1" >/dev/null 2>&1; }

# named FILE PATTERN: the image that a file asks for.
named() { sed -n "s#^ *\(image:\|FROM\) \($2[^ ]*\).*#\2#p" "$1" | head -n 1; }

compose=deploy/docker-compose.yml

name=$(named $compose redis)
if missing "$name"; then
  busybox "$work/redis"
  program "$work/redis" /usr/bin/redis-server /usr/bin/redis-cli
  mkdir "$work/redis/data"
  chmod 777 "$work/redis/data"
  image "$name" "$work/redis" 'WORKDIR /data' 'CMD ["redis-server","--protected-mode","no"]'
fi

name=$(named $compose haproxy)
if missing "$name"; then
  busybox "$work/haproxy"
  program "$work/haproxy" /usr/sbin/haproxy
  image "$name" "$work/haproxy" 'USER 65534' \
    'ENTRYPOINT ["haproxy"]' 'CMD ["-W","-db","-f","/usr/local/etc/haproxy/haproxy.cfg"]'
fi

name=$(named $compose prom/)
if missing "$name"; then
  busybox "$work/prometheus"
  program "$work/prometheus" /usr/bin/prometheus /usr/bin/promtool
  mkdir -m 777 "$work/prometheus/prometheus"
  image "$name" "$work/prometheus" 'USER 65534' 'WORKDIR /prometheus' 'ENTRYPOINT ["prometheus"]' \
    'CMD ["--config.file=/etc/prometheus/prometheus.yml","--storage.tsdb.path=/prometheus"]'
fi

name=$(named $compose grafana/)
if missing "$name"; then
  busybox "$work/grafana"
  cat >"$work/grafana/bin/grafana" <<'GRAFANA'
#!/bin/sh
set -e
provisioning=/etc/grafana/provisioning
grep -q 'type: prometheus' $provisioning/datasources/*.y*ml
dashboards=$(sed -n 's/^ *path: *//p' $provisioning/dashboards/*.y*ml)
grep -q '"panels"' "$dashboards"/*.json
mkdir -p /tmp/www/api
echo '{"database":"ok"}' >/tmp/www/api/health
exec httpd -f -p 3000 -h /tmp/www
GRAFANA
  chmod 755 "$work/grafana/bin/grafana"
  image "$name" "$work/grafana" 'USER 65534' 'ENTRYPOINT ["grafana"]'
fi

name=$(named deploy/Dockerfile node)
if missing "$name"; then
  busybox "$work/node"
  program "$work/node" "$(command -v node)"
  # The bundler is a library that node loads; it wants more of libc than node.
  dpkg -L libc6 | grep '\.so' | while read -r library; do
    mkdir -p "$work/node$(dirname "$library")"
    [ -d "$library" ] || cp -L "$library" "$work/node$library"
  done
  modules=$(dirname "$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")")
  mkdir -p "$work/node/usr/lib/node_modules"
  cp -r "$modules/npm" "$work/node/usr/lib/node_modules/"
  ln -s ../usr/lib/node_modules/npm/bin/npm-cli.js "$work/node/bin/npm"
  ln -s ../../bin/node "$work/node/usr/bin/node"
  image "$name" "$work/node" 'ENV PATH=/bin:/usr/bin' "ENV npm_config_registry=$(npm config get registry)" \
    'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt'
fi

name=$(named deploy/Dockerfile golang)
if missing "$name"; then
  busybox "$work/golang"
  mkdir -p "$work/golang/usr/local"
  cp -r "$(go env GOROOT)" "$work/golang/usr/local/go"
  image "$name" "$work/golang" 'ENV PATH=/usr/local/go/bin:/bin' 'ENV GOTOOLCHAIN=local' \
    "ENV GOPROXY=$(go env GOPROXY)" "ENV GOSUMDB=$(go env GOSUMDB)" 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt'
fi
