#!/bin/bash
# For a machine with a GPU: builds into build/gpu, checks every operator there, compares training with the CPU's, times every layer
# and the training step beside PyTorch's, and writes one report to hand on. Without a usable GPU it stops after the build.
#   bench/gpu.sh                     everything: some hours, most of them beside PyTorch
#   bench/gpu.sh --quick             two networks, few steps: minutes, once PyTorch is there
#   bench/gpu.sh --device cuda:1     another GPU than the first
#   bench/gpu.sh --venv DIR          with a PyTorch and h5py that are there already (default: its own in build/bench-venv)
#   bench/gpu.sh --build DIR         with a build that is there already
#   bench/gpu.sh --report FILE.md    default bench/results/DATE-gpu.md; one that is there stays: the new one gets a number
# Nobody has timed it on a GPU yet. The first time it fetches PyTorch, which takes 6 GB in build/; the build takes 0.1 GB there, and
# records up to 4 GB for a while in $TMPDIR (default: /var/tmp).
# Memory and race checks want compute-sanitizer: scripts/install_cuda.sh brings it; so do NVIDIA's packages, as
# cuda-sanitizer-MAJOR-MINOR. Nothing here runs ncu; to look into a kernel with it, install cuda-nsight-compute-MAJOR-MINOR.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u
usage() {
    sed -n '2,14s/^# \{0,1\}//p' "$0"
    exit "$1"
}
stop() {
    echo "gpu.sh: $1" >&2
    exit "${2:-1}"
}
from=$PWD
cd "$(dirname "$0")/.." || exit 1
device=cuda venv=build/bench-venv report=bench/results/$(date -u +%Y-%m-%d)-gpu.md build=
depths=18,26,34,50,68,101 batches=256,1024 limit=20480 rounds=5
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage 0 ;;
    --quick) depths=18,50 batches=256 limit=5120 rounds=2 ;;
    --device | --venv | --report | --build)
        [ $# -gt 1 ] || usage 2 >&2
        case $2 in /*) path=$2 ;; *) path=$from/$2 ;; esac
        case $1 in --device) device=$2 ;; --venv) venv=$path ;; --build) build=$path ;; *) report=$path ;; esac
        shift
        ;;
    *) usage 2 >&2 ;;
    esac
    shift
done
[[ $device =~ ^cuda(:[0-9]+)?$ ]] || stop "--device $device: not one of cuda, cuda:N" 2

# Each section is a job, a process group of its own: a signal ends all of it, and at once.
set -m
work=$(mktemp -d "${TMPDIR:-/var/tmp}/resnet_study_gpu.XXXXXX") || exit 1
job=""
into=$work/report.md # until it is known that there is something to report
clean_up() {
    if [ -n "$job" ] && kill -TERM -- "-$job" 2>/dev/null; then
        for _ in $(seq 100); do
            kill -0 -- "-$job" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL -- "-$job" 2>/dev/null
    fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
failed=0 not_run=0 status=0

# What a section printed; of more than 1 MB the beginning and the end.
shorten() {
    size=$(wc -c <"$work/output")
    if [ "$size" -le 1000000 ]; then
        cat "$work/output"
    else
        head -c 500000 "$work/output"
        printf '\n[... %s bytes are left out here ...]\n' "$((size - 1000000))"
        tail -c 500000 "$work/output"
    fi
}

# section TITLE COMMAND...: runs it and puts its output into the report. What fails is counted, what says by exit status 77 that it
# did not run is counted apart, and the rest goes on.
section() {
    title=$1
    shift
    echo "== $title: $*" >&2
    begin=$(date +%s) status=0
    "$@" >"$work/output" 2>&1 </dev/null &
    job=$!
    wait "$job" || status=$?
    job=
    case $status in
    0) ended="exit status 0" ;;
    77) ended="not run" not_run=$((not_run + 1)) ;;
    *) ended="exit status $status" failed=$((failed + 1)) ;;
    esac
    {
        printf '\n## %s\n\n`%s`: %s after %s s\n\n```\n' "$title" "$*" "$ended" "$(($(date +%s) - begin))"
        shorten
        printf '```\n'
    } >>"$into"
    rm -f "$work"/*.h5 "$work"/*.h5.ckpt
}

# Of a folder's build; nothing where it has none.
nvcc_of() {
    sed -n 's/^RS_NVCC:.*=\(\/.*\)/\1/p' "$1/CMakeCache.txt" 2>/dev/null
}

not_here() {
    echo "$1"
    return 77
}

# The compiler of build/release, too, where it is named to that build alone.
make_build() {
    nvcc=$(nvcc_of build/release)
    cmake -S . -B build/gpu -G Ninja -DCMAKE_BUILD_TYPE=Release -DRS_TESTS=OFF -DRS_CUDA=ON ${nvcc:+"-DRS_NVCC=$nvcc"} &&
        cmake --build build/gpu
}

machine() {
    uname -srm
    nvidia-smi || echo "nvidia-smi: not here, or no driver"
    nvcc --version 2>/dev/null || echo "nvcc: not here"
    echo
    "$program" --version
    "$program" devices
}

# train NAME OPTION...: a short run into NAME.h5.
train() {
    name=$1
    shift
    "$program" --dataset shapes --train-limit "$limit" --test-limit 1024 --epochs 1 --overwrite --quiet --out "$work/$name.h5" "$@"
}

# The first steps of the same training on both devices.
beside_cpu() {
    for network in "--depth 18 --plain" "--depth 18" "--depth 26 --plain" "--depth 26"; do
        # shellcheck disable=SC2086 # one word per option
        set -- $network --batch-size 128 --train-limit 2560
        train gpu "$@" --device "$device" && train cpu "$@" --device cpu || return 1
        echo "$network: 20 steps of 128 images"
        "$venv/bin/python" -B bench/compare_runs.py "$work/gpu.h5" "$work/cpu.h5" || return 1
    done
}

repeats() {
    train first --device "$device" && train second --device "$device" && "$program" verify --same "$work/first.h5" "$work/second.h5"
}

# Killed after its first commit and resumed: the same file as without.
resumes() {
    long="--dataset shapes --train-limit $limit --test-limit 1024 --epochs 60 --quiet --device $device --commit-every 0"
    # shellcheck disable=SC2086 # one word per option
    "$program" $long --out "$work/whole.h5" || return 1
    for seconds in 0.2 1; do
        rm -f "$work/cut.h5" "$work/cut.h5.ckpt"
        # shellcheck disable=SC2086
        "$program" $long --out "$work/cut.h5" &
        victim=$! waited=0
        while [ ! -e "$work/cut.h5.ckpt" ] && [ "$waited" -lt 600 ]; do
            sleep 0.1
            waited=$((waited + 1))
        done
        sleep "$seconds"
        kill -KILL "$victim" 2>/dev/null
        wait "$victim"
        ended=$?
        [ "$ended" -eq 137 ] || {
            echo "ended by itself, exit status $ended, before it could be killed: this shows nothing"
            return 1
        }
        echo "killed $seconds s after its first commit"
        # shellcheck disable=SC2086
        "$program" $long --out "$work/cut.h5" --resume && "$program" verify --same "$work/whole.h5" "$work/cut.h5" || return 1
    done
}

# A graph that could not be made is said in a warning, and no line of a run that goes well.
graphs() {
    "$program" --dataset shapes --train-limit "$limit" --test-limit 1024 --epochs 1 --overwrite --device "$device" --verbose \
        --out "$work/loud.h5"
}

profiles() {
    for precision in f32 tf32; do
        for depth in $(echo "$depths" | tr , ' '); do
            echo "ResNet-$depth, $precision, batch 256"
            "$program" --dataset shapes --depth "$depth" --batch-size 256 --train-limit 8192 --test-limit 256 --epochs 1 --record none \
                --precision "$precision" --device "$device" --profile --overwrite --out "$work/profile.h5" || return 1
        done
    done
}

sanitizer() {
    command -v compute-sanitizer >/dev/null || {
        not_here "compute-sanitizer is not here; bench/gpu.sh --help says how to get it"
        return
    }
    bad=0
    for tool in memcheck racecheck initcheck; do
        only= # memcheck looks at the libraries' kernels, too; initcheck must see what they write
        [ "$tool" != racecheck ] || only="--kernel-name kns=rs_cu_k_"
        found=0
        # shellcheck disable=SC2086 # two words or none
        RS_CUDA_GRAPH=0 compute-sanitizer --tool "$tool" $only --error-exitcode 99 "$program" --dataset shapes --blocks 1,1,1,1 \
            --batch-size 16 --train-limit 64 --test-limit 32 --epochs 1 --quiet --overwrite --device "$device" \
            --out "$work/sanitized.h5" >"$work/sanitized" 2>&1 || found=$?
        echo "$tool: exit status $found (99: findings); its last lines:"
        tail -n 200 "$work/sanitized"
        if [ "$tool" = initcheck ] && [ "$found" -eq 99 ] && ! grep -q rs_cu_k_ "$work/sanitized"; then
            echo "none of these is in a kernel of ours" && found=0
        fi
        [ "$found" -eq 0 ] || bad=$((bad + 1))
    done
    [ "$bad" -eq 0 ]
}

step() {
    python3 -B bench/step.py "$build" --device "$device" --precision "$1" --depths "$depths" --batches "$batches" --widths even \
        --rounds "$rounds" --venv "$venv" -o "$work/step-$1.md" && cat "$work/step-$1.md"
}

# section_with_pytorch TITLE COMMAND...: without PyTorch it is not run.
section_with_pytorch() {
    [ "$pytorch" -eq 0 ] || set -- "$1" not_here "no PyTorch: see its section"
    section "$@"
}

# The line of `devices` for the wanted one, without its name; ends everything where that cannot be used.
demand_gpu() {
    found=$("$program" devices | sed -n "s/^$device  *//p")
    case $found in
    "") stop "there is no $device here; stopped before PyTorch was fetched. $program devices lists what there is" ;;
    "not usable: "*) stop "$device is $found; stopped before PyTorch was fetched" ;;
    esac
    echo "gpu.sh: $device is $found" >&2
}

# FILE.md, or where that is there FILE-2.md and so on.
free_name() {
    name=$1 number=2
    while [ -e "$name" ]; do
        name=${1%.md}-$number.md number=$((number + 1))
    done
    echo "$name"
}

source=$(git describe --always --dirty 2>/dev/null)
printf '# On a GPU\n\n`bench/gpu.sh`, %s UTC, source %s\n' "$(date -u '+%Y-%m-%d %H:%M')" "$source" >"$into"
if [ -z "$build" ]; then
    build=build/gpu
    section "Build" make_build
    [ "$status" -eq 0 ] || {
        tail -n 20 "$work/output" >&2
        stop "the build with the CUDA module failed (above: its last lines)"
    }
fi
program=$build/resnet_study
demand_gpu
report=$(free_name "$report")
mkdir -p "$(dirname "$report")" && mv "$into" "$report" || exit 1
into=$report
nvcc=$(nvcc_of "$build")
PATH=$PATH:${nvcc:+${nvcc%/*}:}/usr/local/cuda/bin # for nvcc and compute-sanitizer
section "Machine" machine
section "PyTorch" python3 -B bench/peer.py --venv "$venv"
pytorch=$status
section "Operators against the reference" "$program" check --device "$device"
section_with_pytorch "Twenty steps beside the CPU's" beside_cpu
section "Plan and warnings" graphs
section "Repeated" repeats
section "Killed and resumed" resumes
section "Memory and race checks" sanitizer
section "Time by layer" profiles
section_with_pytorch "Training step beside PyTorch's, f32" step f32
section_with_pytorch "Training step beside PyTorch's, TF32" step tf32
echo "$report: $failed sections failed, $not_run were not run. Whatever they say: attach it to an issue of the project or send it to" \
    "whoever asked for it, please; there is no public address yet" >&2
[ "$failed" -eq 0 ]
