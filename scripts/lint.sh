#!/bin/sh
# clang-tidy over every C file of a build tree: scripts/lint.sh [BUILD [FILE REGEX]], as in: scripts/lint.sh build/release host/train
# Left out: src/kernels/cuda and tests/cuda_emulation: clang-tidy 14 cannot read CUDA 13's headers. gcc's warnings and sanitizers look at them.
# The quick checks of formatting, includes and sizes are tests: ctest -L lint.
set -eu
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
fi
cd "$(dirname "$0")/.."
build=${1:-build/release}
pattern=${2:-.}
if ! command -v run-clang-tidy >/dev/null 2>&1 && ! command -v run-clang-tidy-14 >/dev/null 2>&1; then
    echo "lint.sh: skipped: no clang-tidy here (scripts/install_dependencies.sh --lint)"
    exit 0
fi
if [ ! -f "$build/compile_commands.json" ]; then
    echo "lint.sh: $build has no compile_commands.json: build it first with scripts/build.sh release -DRS_TESTS=ON" >&2
    exit 1
fi
files="$PWD/(?=(src|tests|bench)/)(?!src/kernels/cuda/|tests/cuda_emulation/).*$pattern"
if ! grep -qP "\"file\": \"$files" "$build/compile_commands.json"; then
    echo "lint.sh: no file of $build matches $pattern" >&2
    exit 1
fi
runner=$(command -v run-clang-tidy || command -v run-clang-tidy-14)
log=$(mktemp) commands=$(mktemp -d)
trap 'rm -rf "$log" "$commands"' EXIT
sed 's/ -fcx-limited-range//' "$build/compile_commands.json" >"$commands/compile_commands.json" # gcc's alone
# gcc's own warning flags mean nothing to clang.
if "$runner" -quiet -p "$commands" -extra-arg=-Wno-unknown-warning-option "$files" >"$log" 2>&1; then
    echo "lint.sh: clang-tidy finds nothing"
else
    grep -E '(warning|error):' "$log" | sed "s|$PWD/||g; s/\x1b\[[0-9;]*m//g" | sort -u >&2 || cat "$log" >&2
    echo "lint.sh: clang-tidy has findings" >&2
    exit 1
fi
