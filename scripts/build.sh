#!/bin/sh
# Configures and builds a preset; quiet, but for a line on the CUDA module, unless something goes wrong:
#   scripts/build.sh PRESET [CMAKE OPTION]...
set -eu
cd "$(dirname "$0")/.."
preset=${1:?usage: scripts/build.sh release|dev|tsan [CMAKE OPTION]...}
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "build.sh: $preset, into build/$preset"
if ! { cmake --preset "$preset" "$@" >"$log" 2>&1 &&
    sed -n 's/^-- \(CUDA module: .*\)/build.sh: \1/p' "$log" | tail -n 1 &&
    cmake --build --preset "$preset" >"$log" 2>&1; }; then
    tail -n 60 "$log" >&2
    echo "build.sh: the $preset build failed (above: its last lines)" >&2
    exit 1
fi
