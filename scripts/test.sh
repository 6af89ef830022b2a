#!/bin/sh
# Installs what the tests need, builds, runs the tests and ends on the line "N passed, N failed".
#   scripts/test.sh                        the short tests: some minutes
#   scripts/test.sh --long                 all of them
#   scripts/test.sh --preset dev           with address and undefined-behaviour sanitizers; tsan: thread sanitizer
#   scripts/test.sh ... CTEST OPTION...    everything else goes to ctest, as in: scripts/test.sh -R metric
# RS_REAL_DATA=DIR: also the checks on real image data that lies there in the official formats.
set -eu
cd "$(dirname "$0")/.."
preset=release
labels="-L short"
while [ $# -gt 0 ]; do
    case $1 in
    --long) labels= ;;
    -h | --help)
        sed -n '2,7s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    --preset)
        preset=${2:?--preset release|dev|tsan}
        shift
        ;;
    --rerun-failed | --repeat* | --timeout* | --stop-on-failure | --schedule-random | --verbose | --parallel*) break ;;
    --*)
        echo "test.sh: unknown option $1; --help says what there is" >&2
        exit 2
        ;;
    *) break ;;
    esac
    shift
done
if [ "$preset" = tsan ]; then
    labels="-L tsan"
    export OMP_NUM_THREADS=1 # gcc's thread sanitizer does not understand libgomp's barriers
fi

scripts/install_dependencies.sh --tests
scripts/build.sh "$preset" -DRS_TESTS=ON
# Many tests use one thread. Those that look at the clock run alone (RUN_SERIAL).
jobs=$(nproc)
[ "$jobs" -le 4 ] || jobs=4
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
# The status of a pipe is that of its last part: ctest's own goes through the log.
{ ctest --test-dir "build/$preset" --parallel "$jobs" --output-on-failure --no-tests=error $labels "$@" || echo "ctest: status $?"; } | tee "$log"
grep -q '^ctest: status' "$log" && status=1

summary=$(grep 'tests failed out of' "$log" || true)
failed=$(echo "$summary" | sed -n 's/.*, \([0-9]*\) tests failed out of.*/\1/p')
total=$(echo "$summary" | sed -n 's/.*out of \([0-9]*\).*/\1/p')
[ -n "$total" ] || { failed=1 total=1; }
skipped=$(grep -c '\*\*\*Skipped' "$log" || true)
[ "$skipped" -eq 0 ] || echo "$skipped skipped, counted as neither; each says why in build/$preset/Testing/Temporary/LastTest.log"
echo "$((total - failed - skipped)) passed, $failed failed"
exit $status
