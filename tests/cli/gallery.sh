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
# One alone is drawn anew, the rows of the others stay; a name that is none is refused.
cp -r "$folder/gallery" "$folder/before"
rm "$folder/gallery/activations.svg" "$folder/gallery/parameters.svg"
GALLERY_IMAGES=64 GALLERY_EPOCHS=2 "$here/../../docs/gallery.sh" "$1" "$folder/runs" "$folder/gallery" activations
cmp "$folder/before/README.md" "$folder/gallery/README.md"
[[ -s $folder/gallery/activations.svg && ! -e $folder/gallery/parameters.svg ]] || { echo "gallery.sh: not one alone"; exit 1; }
if "$here/../../docs/gallery.sh" "$1" "$folder/runs" "$folder/gallery" activation 2>/dev/null; then
    echo "gallery.sh: takes a name that is none"
    exit 1
fi
echo "$count pictures"
((count >= 9))
