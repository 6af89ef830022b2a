#!/bin/sh
# Runs every benchmark of this folder, the most important first, and writes bench/results/DATE-MACHINE-*.md.
#   bench/all.sh build/release                  some hours; on a quiet machine
#   bench/all.sh build/release --venv DIR       with a PyTorch that is there already (default: one of its own in build/bench-venv)
#   bench/all.sh build/release --prefix P       results P-step.md ...; one that is there goes on where it was interrupted
#   bench/all.sh build/release --quick          minutes, tiny settings: that all works, not how fast
set -eu
usage() {
    sed -n '2,6s/^# \{0,1\}//p' "$0"
    exit "$1"
}
here=$(cd "$(dirname "$0")" && pwd)
program_dir= venv= quick=
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
    -*) usage 2 >&2 ;;
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

# recorder OPTION...: the recorder beside plain write(); its own report, with the machine above it.
recorder() {
    echo "== recorder: recorder_bench $*" >&2
    folder=$(mktemp -d "${TMPDIR:-/var/tmp}/resnet_study_bench.XXXXXX")
    {
        printf '# Recorder against write()\n\n`recorder_bench %s`\n\n' "$*"
        python3 -B "$here/machine.py" | sed 's/^/- /'
        printf '\n```\n'
        "$program_dir/bench/recorder_bench" --folder "$folder" "$@" 2>&1 || echo "recorder_bench: exit status $?"
        printf '```\n'
    } >"$prefix-recorder.md.part"
    rm -rf "$folder"
    ! grep -q '^recorder_bench: exit status' "$prefix-recorder.md.part" || status=1
    mv "$prefix-recorder.md.part" "$prefix-recorder.md"
}

# operators OPTION...: the operators of the check table, alone; its own report as well.
operators() {
    echo "== operators: operators $*" >&2
    {
        printf '# Operators\n\n`operators %s`\n\n' "$*"
        python3 -B "$here/machine.py" | sed 's/^/- /'
        printf '\n```\n'
        "$program_dir/bench/operators" "$@" 2>&1 || echo "operators: exit status $?"
        printf '```\n'
    } >"$prefix-operators.md.part"
    ! grep -q '^operators: exit status' "$prefix-operators.md.part" || status=1
    mv "$prefix-operators.md.part" "$prefix-operators.md"
}

mkdir -p "$(dirname "$prefix")"
if [ -n "$quick" ]; then
    tiny="--rounds 2 --turn 0"
    peer step step.py $tiny --depths 18,26 --variants residual --batches 16
    bench scaling scaling.py $tiny --depths 18,34 --variants plain --batch-size 16 --batches 16,32
    peer epoch epoch.py $tiny --variants plain --batches 16 --train-limit 64 --test-limit 16
    recorder --depth 18 --snapshots 2 --rounds 1
    operators --filter conv_1x1 --batch-size 4 --rounds 1
else
    peer step step.py --widths even
    bench scaling scaling.py
    peer epoch epoch.py --parts peer
    bench recording epoch.py --parts recording,steps --rounds 20
    recorder
    operators
    peer step-standard step.py --widths standard
fi
exit $status
