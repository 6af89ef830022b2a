#!/bin/sh
# scripts/quickstart.sh: installs what is missing, builds, and runs the main job small: ResNet-18 without shortcuts on the built-in data set,
# two epochs, everything recorded. A quarter of a minute of training on two idle cores.
#   scripts/quickstart.sh [CMAKE OPTION]...      as in: scripts/quickstart.sh -DRS_CUDA=OFF, where nvcc is there but no GPU module wanted
set -eu
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
fi
cd "$(dirname "$0")/.."
out=runs/quickstart.h5

scripts/install_dependencies.sh --look
scripts/build.sh release -DRS_TESTS=OFF "$@"

echo
echo "resnet_study --depth 18 --plain --dataset shapes --train-limit 4096 --test-limit 1024 --epochs 2 --batch-size 128"
build/release/resnet_study --depth 18 --plain --dataset shapes --train-limit 4096 --test-limit 1024 --epochs 2 \
    --batch-size 128 --out "$out" --overwrite
