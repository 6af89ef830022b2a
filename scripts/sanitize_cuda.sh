#!/bin/sh
# Trains on the stand-in for a GPU with the host code of the program and of its GPU module under the address, undefined-behaviour
# and leak sanitizers; some runs with a CUDA call that fails: scripts/sanitize_cuda.sh [BUILD]
# BUILD (default: build/release) has the stand-in, tests/cuda_emulation, which is built without them.
set -eu
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
fi
cd "$(dirname "$0")/.."
standin=${1:-build/release}/tests/cuda_emulation/librs_emu.so
if [ ! -e "$standin" ]; then
    echo "sanitize_cuda.sh: skipped: no $standin (it is built with the tests, where nvcc is)"
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
build=build/dev-cuda
if ! { cmake --preset dev -B $build -DRS_CUDA=ON -DRS_CUDA_ARCHITECTURES=80 -DRS_TESTS=OFF && cmake --build $build; } >"$folder/log" 2>&1; then
    tail -n 40 "$folder/log" >&2
    exit 1
fi
preload=$("${CC:-cc}" -print-file-name=libasan.so):$(realpath "$standin") # the sanitizer wants to be first

# train MOST OPTION...: a run that ends with a status of at most MOST, without a word from a sanitizer.
train() {
    most=$1 status=0
    shift
    echo "train $*${RS_EMU_FAIL:+, call $RS_EMU_FAIL fails}"
    ASAN_OPTIONS=exitcode=99:log_path="$folder/report" UBSAN_OPTIONS=log_path="$folder/report" OMP_WAIT_POLICY=passive LD_PRELOAD=$preload \
        "$build/resnet_study" --blocks 1,1,1,1 --dataset shapes --train-limit 17 --test-limit 5 --batch-size 4 --commit-every 0 \
        --threads 1 --device cuda --quiet --out "$folder/run.h5" "$@" >"$folder/log" 2>&1 || status=$?
    if [ "$status" -gt "$most" ] || grep -qs "ERROR\|runtime error" "$folder"/report*; then
        tail -n 20 "$folder/log" >&2
        cat "$folder"/report* >&2 2>/dev/null || true
        echo "sanitize_cuda.sh: exit status $status" >&2
        exit 1
    fi
}

train 0 --depth 26 --epochs 1 --memory lean --convolution search
train 0 --depth 26 --epochs 2 --memory lean --convolution search --resume
train 0 --depth 18 --plain --epochs 1 --precision tf32 --optimizer sgd --momentum 0.9 --clip-norm 1 --profile --overwrite
train 0 --depth 18 --width standard --epochs 1 --metric minkowski:1,cosine --snapshots steps:1,2 --overwrite
for call in 5 40 260 500 900 2000; do
    export RS_EMU_FAIL=$call
    train 1 --depth 18 --epochs 1 --overwrite
done
echo "sanitize_cuda.sh: no errors"
