#!/bin/sh
# Runs every benchmark of this folder, the most important first, and writes bench/results/DATE-MACHINE-*.md.
#   bench/all.sh build/release                  some hours; on a quiet machine
#   bench/all.sh build/release --venv DIR       with a PyTorch that is there already (default: one of its own in build/bench-venv)
#   bench/all.sh build/release --prefix P       results P-step.md ...; one that is there goes on where it was interrupted (those of
#                                               recorder and operators are made anew)
#   bench/all.sh build/release --quick          minutes, tiny settings (P-quick-step.md ...): that all works, not how fast
set -eu
usage() {
    sed -n '2,7s/^# \{0,1\}//p' "$0"
    exit "$1"
}
here=$(cd "$(dirname "$0")" && pwd)
program_dir= venv= quick= folder=
trap 'rm -rf "${folder:-}"' EXIT
trap 'exit 130' INT
prefix=$here/results/$(date -u +%Y-%m-%d)-$(python3 -B "$here/machine.py" --name)
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage 0 ;;
    --venv | --prefix)
        [ $# -gt 1 ] || usage 2 >&2
        [ "$1" = --venv ] && venv=$2 || prefix=$2
        shift
        ;;
    --quick) quick=yes ;;
    -*)
        echo "all.sh: unknown option $1" >&2
        usage 2 >&2
        ;;
    *) program_dir=$1 ;;
    esac
    shift
done
[ -n "$program_dir" ] || usage 2 >&2
[ -z "$quick" ] || prefix=$prefix-quick
status=0

# bench NAME SCRIPT OPTION...: one benchmark into PREFIX-NAME.md; a failed one does not keep the next from running.
bench() {
    name=$1 script=$2
    shift 2
    echo "== $name: $script $*" >&2
    python3 -B "$here/$script" "$program_dir" --resume -o "$prefix-$name.md" "$@" || status=1
}

# peer NAME SCRIPT OPTION...: the same for one that compares with PyTorch.
peer() {
    if [ -n "$venv" ]; then bench "$@" --venv "$venv"; else bench "$@"; fi
}

# program NAME PROGRAM OPTION...: one of the programs in C; what it prints, below the machine, becomes PREFIX-NAME.md.
program() {
    name=$1 program=$2 part=$prefix-$1.md.part
    shift 2
    echo "== $name: $program $*" >&2
    {
        printf '# %s\n\n`%s %s`\n\n' "$name" "$program" "$*"
        python3 -B "$here/machine.py" | sed 's/^/- /'
        printf '\n```\n'
    } >"$part"
    "$program_dir/bench/$program" "$@" >>"$part" 2>&1 || {
        echo "$program: exit status $?" >>"$part"
        status=1
    }
    printf '```\n' >>"$part"
    mv "$part" "$prefix-$name.md"
}

# recorder NAME OPTION...: the recorder beside plain write(), on the disk of /var/tmp.
recorder() {
    name=$1
    shift
    folder=$(mktemp -d "${TMPDIR:-/var/tmp}/resnet_study_bench.XXXXXX")
    program "$name" recorder_bench --folder "$folder" "$@"
    rm -rf "$folder"
}

mkdir -p "$(dirname "$prefix")"
if [ -n "$quick" ]; then
    tiny="--rounds 2 --turn 0"
    peer small small.py --rounds 1 --steps 3 --candidates 1 --networks function-fit
    peer step step.py $tiny --depths 18,26 --variants residual --batches 16
    bench scaling scaling.py $tiny --depths 18,34 --variants plain --batch-size 16 --batches 16,32
    peer epoch epoch.py $tiny --variants plain --batches 16 --train-limit 64 --test-limit 16
    recorder recorder --depth 18 --snapshots 2 --rounds 1
    program operators operators --filter conv_1x1 --batch-size 4 --rounds 1
else
    peer step step.py --widths even
    peer small small.py
    bench scaling scaling.py
    peer epoch epoch.py --parts peer
    bench recording epoch.py --parts recording,steps --rounds 20
    recorder recorder-68 --depth 68
    recorder recorder-101 --depth 101
    program operators operators
    peer step-standard step.py --widths standard
fi
exit $status
