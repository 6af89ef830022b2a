#!/bin/sh
# Trains and records two steps under valgrind's memcheck: scripts/valgrind.sh [PROGRAM]. valgrind 3.19 hides AVX-512 from the
# program, so this is the AVX2 path. --device cpu: the loader reports reads of its own when it opens the GPU module.
# OMP_WAIT_POLICY is set because the program would otherwise start itself once more, out of sight.
set -eu
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
fi
cd "$(dirname "$0")/.."
program=${1:-build/release/resnet_study}
if ! command -v valgrind >/dev/null 2>&1; then
    echo "valgrind.sh: skipped: no valgrind here (scripts/install_dependencies.sh --lint)"
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
OMP_WAIT_POLICY=passive valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
    --show-leak-kinds=definite "$program" --blocks 1,1,1,1 --dataset shapes --train-limit 4 --test-limit 2 --batch-size 2 \
    --epochs 1 --device cpu --threads 2 --quiet --out "$folder/run.h5"
"$program" info "$folder/run.h5" | grep "^device"
"$program" verify "$folder/run.h5"
echo "valgrind.sh: no errors"
