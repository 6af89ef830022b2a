#!/bin/bash
# Makes the pictures of the README anew, in docs/gallery/, and docs/gallery/README.md, which says of each what it was drawn from: the
# records of a study where RUNS has them (resnet_study run experiments/STUDY.yaml), else small runs on built-in data, which it trains
# first, into RUNS/gallery (some minutes of two idle cores; a second time they are there). Records of a part count as the study's, as the
# tutorial leaves some in runs/minkowski_even: another RUNS passes them by. Each picture's line says what it was drawn from.
#   docs/gallery.sh [PROGRAM [RUNS [OUT [NAME...]]]]      defaults: resnet_study, runs, docs/gallery, all pictures; others stay as they are
#   docs/gallery.sh --list                      name, study, figure of each
# GALLERY_IMAGES=N and GALLERY_EPOCHS=N make the small runs smaller still, for tests. Exit status 0: all that were asked for are drawn.
set -uo pipefail
if [[ ${1:-} == --help || ${1:-} == -h ]]; then
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
fi
here=$(dirname "$(readlink -f "$0")")

small_runs() { # STUDY: the options that make it small
    local images=${GALLERY_IMAGES:-2048}
    echo "--set dataset=shapes --set train-limit=$images --set test-limit=$((images / 8)) --set batch-size=$((images / 16))"
    case $1 in
    minkowski_even) more 3 "--set depth=34 --set record=distances --set snapshots=none --seeds 1" ;;
    standard_layers) more 8 "--case nn-small --set snapshots=none" ;;
    gradient_flow) more 6 "--set valid-split=$((images / 8)) --set snapshots=none" ;;
    weight_pca) more 8 "--set snapshots=all --seeds 1..4" ;;
    parameters_vs_generalisation) more 8 "--set learning-rate=0.001 --set snapshots=none --seeds 1..3" ;;
    activations) more 12 "--set snapshots=none --seeds 1..3" ;;
    esac
}
more() { echo "--set epochs=${GALLERY_EPOCHS:-$1} $2"; } # EPOCHS OPTIONS
# picture NAME STUDY RECORDS ANALYSIS FIGURE OPTION...: RECORDS: patterns, of which the first that has records counts; ANALYSIS: none,
# or pca
pictures() {
    local depths="resnet68-*cifar10-* resnet34-*cifar10-* resnet18-*cifar10-* resnet34-*" all="resnet*cifar10-* resnet*"
    picture study_a_distances minkowski_even "$depths" none distances
    picture study_a_medians minkowski_even "$all" none medians
    picture study_a_loss minkowski_even "$all" none loss
    picture study_a_accuracy minkowski_even "$all" none accuracy
    picture layer_curves standard_layers "nn-2x256-*" none layer-curves --outliers 3 --smooth 10
    picture gradient_flow gradient_flow "*" none gradient-flow
    picture weight_tracks weight_pca "*" pca pca
    picture parameters parameters_vs_generalisation "*" none parameters
    picture activations activations "*" none accuracy
}
list_picture() { printf '%-18s %-28s %s\n' "$1" "$2" "$5"; }

# Patterns hold no blanks; the words of $2 are meant to be split, not to be files of this folder.
set -f
find_records() { # FOLDER PATTERNS: sets records to those of the first pattern that has any
    local pattern
    for pattern in $2; do
        mapfile -t records < <(compgen -G "$1/$pattern.h5" | LC_ALL=C sort)
        [[ ${#records[@]} -gt 0 ]] && return
    done
    return 1
}
records_of() { # STUDY PATTERNS: sets records and source
    local -a options
    source="runs/$1"
    find_records "$runs/$1" "$2" && return
    read -ra options <<<"$(small_runs "$1" | tr '\n' ' ')"
    "$program" run "$here/../experiments/$1.yaml" "${options[@]}" --out-dir "$runs/gallery" --quiet >&2 || return 1
    source="small runs on \`shapes\`"
    find_records "$runs/gallery/$1" "$2"
}
draw() { # NAME STUDY RECORDS ANALYSIS FIGURE OPTION...
    local name=$1 records=() source='' inputs
    records_of "$2" "$3" || return 1
    inputs=("${records[@]}")
    if [[ $4 != none ]]; then
        inputs=("$runs/gallery-$name.h5")
        "$program" analyze "$4" "${records[@]}" -o "${inputs[0]}" --overwrite >/dev/null || return 1
    fi
    "$program" plot "$5" "${inputs[@]}" "${@:6}" -o "$out/$name.svg" >/dev/null || return 1
    echo "$out/$name.svg: $2, ${#records[@]} records, $source"
    # shellcheck disable=SC2016 # backquotes of Markdown
    printf '| [`%s.svg`](%s.svg) | `%s`, %d records | `plot %s` | %s |\n' "$name" "$name" "$2" ${#records[@]} "${*:5}" "$source" >>"$table"
}
kept_row() { # NAME: of a picture that stays as it is
    grep -F "[\`$1.svg\`]" "$out/README.md" 2>/dev/null >>"$table"
}
draw_picture() {
    if [[ ${#only[@]} -gt 0 && " ${only[*]} " != *" $1 "* ]]; then
        kept_row "$1"
    elif ! draw "$@"; then
        echo "gallery.sh: $1 could not be drawn" >&2
        ((failed += 1))
    fi
}
write_readme() {
    {
        # shellcheck disable=SC2016
        printf '# Gallery\n\nThe pictures of the front page, as `docs/gallery.sh` drew them last.\n\n'
        printf '| picture | study | figure | from |\n|---|---|---|---|\n'
        cat "$table"
        # shellcheck disable=SC2016
        printf '\nOne picture alone: `docs/gallery.sh resnet_study runs docs/gallery layer_curves`; `--list` names them. Drawn are the records that lie\n'
        # shellcheck disable=SC2016
        printf 'in `runs/STUDY`, also those of a part, as the [tutorial](../tutorial.md) leaves some in `runs/minkowski_even`; without any, small runs\n'
        # shellcheck disable=SC2016
        printf 'are trained first, into `runs/gallery`. Another folder than `runs` passes by what lies there.\n'
        # shellcheck disable=SC2016
        printf '\nTo add a picture: its line in `pictures` of `docs/gallery.sh`, and its small runs where the study has none there.\n'
    } >"$out/README.md"
}

if [[ ${1:-} == --list ]]; then
    picture() { list_picture "$@"; }
    pictures
    exit 0
fi
program=$(command -v "${1:-resnet_study}") || { echo "gallery.sh: no program ${1:-resnet_study}" >&2; exit 2; }
runs=${2:-runs} out=${3:-$here/gallery} only=("${@:4}") failed=0
for name in "${only[@]}"; do
    grep -q "^$name " < <("$0" --list) || { echo "gallery.sh: no picture $name; --list names them" >&2; exit 2; }
done
table=$(mktemp)
trap 'rm -f "$table"' EXIT
mkdir -p "$runs" "$out"
picture() { draw_picture "$@"; }
pictures
write_readme
((failed == 0))
