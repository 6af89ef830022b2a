#!/bin/bash
# Every picture of docs/gallery.sh from tiny runs: gallery.sh PROGRAM. Each must be there, show lines or points, hold no NaN, and stand in
# the table of sources.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
command -v gnuplot >/dev/null || { echo "skipped: no gnuplot here (Debian: gnuplot-nox)"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
GALLERY_IMAGES=64 GALLERY_EPOCHS=2 "$here/../../docs/gallery.sh" "$1" "$folder/runs" "$folder/gallery"
count=0
while read -r name _; do
    picture=$folder/gallery/$name.svg
    grep -q '<path' "$picture" || { echo "gallery.sh: $name shows nothing"; exit 1; }
    if grep -qi 'nan\b' <(grep -o 'd="[^"]*"' "$picture"); then
        echo "gallery.sh: $name has a NaN in a line"
        exit 1
    fi
    grep -q "\`$name.svg\`" "$folder/gallery/README.md" || { echo "gallery.sh: $name has no row"; exit 1; }
    count=$((count + 1))
done < <("$here/../../docs/gallery.sh" --list)
echo "$count pictures"
((count >= 9))
