#!/bin/sh
# Gives the module a name that others can import: sh .ci/rename.sh github.com/you/chat
# Run it in a clean checkout, once, before you publish. It rewrites import paths, go.mod files and build settings.
set -eu
old=socketio-chat
new=${1:-}
case "$new" in
*.*/*) ;;
*)
	echo "usage: sh .ci/rename.sh HOST.NAME/PATH, such as github.com/you/chat" >&2
	exit 2
	;;
esac
cd "$(dirname "$0")/.."
if [ "$(head -n 1 go.mod)" != "module $old" ]; then
	echo "the module is not called $old any more: $(head -n 1 go.mod)" >&2
	exit 1
fi
# A path in quotes or behind a flag, and the module lines of go.mod; the word alone, as in names of images, stays.
find . \( -name node_modules -o -name .git -o -name dist \) -prune -o -type f \
	\( -name '*.go' -o -name go.mod -o -name '*.yml' -o -name '*.sh' -o -name Dockerfile \) -print |
	while read -r file; do
		case "$file" in
		*/go.mod) sed -i.old -E "s#(^|[[:space:]])$old(/|[[:space:]]|\$)#\1$new\2#g" "$file" ;;
		*/.golangci.yml) sed -i.old "s#local-prefixes: \[$old\]#local-prefixes: [$new]#" "$file" ;;
		*/rename.sh) ;;
		*) sed -i.old -E "s#(^|[^A-Za-z0-9_.:/-])$old/(cmd|pkg|web|deploy)(/|\")#\1$new/\2\3#g" "$file" ;;
		esac
		rm -f "$file.old"
	done
gofmt -w cmd pkg web
echo "The module is called $new now. Commit it, push it to $new, and others can go get $new/pkg/socketio."
