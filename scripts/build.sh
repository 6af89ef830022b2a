#!/bin/sh
# Configures and builds a preset; quiet, but for a line on the CUDA module, unless something goes wrong:
#   scripts/build.sh PRESET [CMAKE OPTION]...      as in: scripts/build.sh release -DRS_TESTS=OFF
# PRESET: release (optimised), dev (address and undefined-behaviour sanitizers), tsan (thread sanitizer), fuzz (needs clang 14).
# CMake options of this project: -DRS_TESTS=OFF builds no tests, -DRS_CUDA=OFF no GPU module. What is built lies in build/PRESET.
set -eu
cd "$(dirname "$0")/.."
usage() {
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit "$1"
}
case ${1:-} in
-h | --help) usage 0 ;;
'' | -*)
    echo "build.sh: which preset? It comes first, before ${1:-options of CMake}" >&2
    usage 2 >&2
    ;;
esac
preset=$1
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
