#!/bin/sh
# Executes the RUN lines of a Dockerfile in order, as root, in this folder tree: for machines without a Docker engine.
#   docker/run_lines.sh docker/cpu.Dockerfile
set -eu
cd "$(dirname "$0")/.."
file=${1:?usage: docker/run_lines.sh DOCKERFILE}
sed -n 's/^RUN //p' "$file" | while read -r line; do
    echo "RUN $line"
    sh -c "$line" </dev/null
done
