#!/bin/sh
# Installs a build tree into an empty folder and checks that what should be there is, and runs: scripts/check_install.sh [BUILD]
set -eu
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
fi
cd "$(dirname "$0")/.."
build=${1:-build/release}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cmake --install "$build" --prefix "$folder" >/dev/null
for path in bin/resnet_study include/rs/backend.h include/rs/options.def share/man/man1/resnet_study.1 \
    share/bash-completion/completions/resnet_study share/zsh/site-functions/_resnet_study \
    share/resnet_study/experiments/minkowski_even.yaml \
    share/doc/resnet_study/README.md share/doc/resnet_study/LICENSE share/doc/resnet_study/SCHEMA.md; do
    if [ ! -s "$folder/$path" ]; then
        echo "check_install.sh: $path is not installed" >&2
        exit 1
    fi
done
"$folder/bin/resnet_study" --version
"$folder/bin/resnet_study" devices
printf '#include "rs/trainer.h"\n#include "rs/recorder.h"\n#include "rs/check.h"\nint main(void) { return 0; }\n' >"$folder/user.c"
cc -std=c11 -D_GNU_SOURCE -I"$folder/include" -fsyntax-only "$folder/user.c"
echo "check_install.sh: complete"
