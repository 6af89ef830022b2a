#!/bin/bash
# Every figure of every study, from its records: runs/STUDY/*.h5. What needs an analysis gets it first, into OUT/analyses. A figure
# whose records are missing is skipped, and named.
#   experiments/figures.sh [PROGRAM [STUDY...]]       all studies, or these; figures go to $FIGURES_OUT (default: figures)
#   experiments/figures.sh --list                     name, study and what it is drawn by
#   RUNS=DIR                 where the records lie (default: runs)
#   FIGURES_FORMAT=svg|png|pdf
#   PLOT_OPTIONS="..."       further options of plot, for all figures
#   ANALYZE_OPTIONS="..."    further options of the analyses that read data, as in "--samples 1000 --data-dir DIR"
# Exit status 0: all that have records are drawn; 1: some failed; 2: wrong words.
set -uo pipefail
if [[ ${1:-} == --help || ${1:-} == -h ]]; then
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
fi
runs=${RUNS:-runs} out=${FIGURES_OUT:-figures} format=${FIGURES_FORMAT:-svg}
read -ra plot_options <<<"${PLOT_OPTIONS:-}"
read -ra analyze_options <<<"${ANALYZE_OPTIONS:-}"
studies=() names=() records=() analyses=() commands=()

figure() { # STUDY NAME RECORDS ANALYSIS FIGURE OPTION...: records are patterns in its folder; analysis: "" none
    studies+=("$1") names+=("$2") records+=("$3") analyses+=("$4")
    commands+=("${*:5}")
}

# --- A: weight change by depth -------------------------------------------------------------------------------------
hash='????????.h5' # of a run's settings, behind its name
for study in minkowski_even minkowski euclidean; do
    for data in cifar10 cifar100 fashion-mnist mnist shapes; do
        for depth in 18 26 34 50 68 101; do
            pair="resnet$depth-plain-$data-$hash resnet$depth-$data-$hash"
            figure $study $study-$data-$depth-distances "$pair" "" distances
            figure $study $study-$data-$depth-heatmap "$pair" "" distance-heatmap
        done
    done
    figure $study $study-medians "*.h5" "" medians --sheet dataset
    for kind in loss accuracy; do # the test set is the validation set here
        figure $study $study-$kind "*.h5" "" $kind --sheet dataset --split test
        figure $study $study-training-$kind "*.h5" "" $kind --sheet dataset --split train
    done
done

# --- B: isolated layers and losses of layers -----------------------------------------------------------------------
for study in standard_layers isolated_layers always_isolated per_layer_loss; do
    figure $study $study-loss "*.h5" "" loss --sheet network
    figure $study $study-accuracy "*.h5" "" accuracy --sheet network
    figure $study $study-gradient-norm "*.h5" "" gradient-norm --sheet network --smooth 10
    figure $study $study-schedule "*.h5" "" schedule --sheet network
    for network in nn-2x256 nn-4x256 cnn-32-64 cnn-32-64-128-256; do
        of_both="$network-mnist-$hash $network-cifar10-$hash $network-shapes-$hash"
        figure $study $study-$network-layer-curves "$of_both" "" layer-curves --outliers 3 --smooth 10
        figure $study $study-$network-layer-loss "$of_both" "" layer-loss --outliers 3 --smooth 10
    done
done

# --- C: learning rate, dropout, batch norm, gradient flow ----------------------------------------------------------
for study in learning_rates lr_schedule dropout_rates dropout_transfer batch_norm gradient_flow; do
    figure $study $study-loss "*.h5" "" loss --individual
    figure $study $study-accuracy "*.h5" "" accuracy --individual
    figure $study $study-classes "*.h5" "" classes
done
figure lr_schedule lr_schedule-schedule "*.h5" "" schedule
for network in baseline-net dropout-net batch-norm-net; do
    figure gradient_flow gradient_flow-$network "$network-*-$hash" "" gradient-flow --steps 5
done

# --- D: small networks ---------------------------------------------------------------------------------------------
for study in function_fit function_fit_sinc; do
    figure $study $study-fit "*.h5" predict fit
    figure $study $study-loss "*.h5" "" loss --individual --log xy
done
for study in mnist_cnns random_labels; do
    figure $study $study-loss "*.h5" "" loss
    figure $study $study-accuracy "*.h5" "" accuracy
    figure $study $study-classes "*.h5" "" classes
done
figure weight_pca weight_pca-all "*.h5" pca pca
figure weight_pca weight_pca-first-layer "*.h5" "pca --layer linear1.weight" pca
figure gradient_norm gradient_norm-norm "*.h5" "" gradient-norm --log xy
figure gradient_norm gradient_norm-loss "*.h5" "" loss --log xy
for study in minimal_ratio minimal_ratio_published; do
    figure $study $study-hessian "*.h5" hessian hessian
done
figure parameters_vs_generalisation parameters_vs_generalisation-size "*.h5" "" parameters
figure parameters_vs_generalisation parameters_vs_generalisation-loss "*.h5" "" loss
figure flatness_interpolation flatness_interpolation-line "*.h5" interpolate interpolation
for study in flatness_sensitivity flatness_sensitivity_published; do
    figure $study $study-norms "*.h5" "" sensitivity
done

# --- E: operators and choices --------------------------------------------------------------------------------------
for study in activations architectures initialisation cifar_hyperparameters cifar_architectures; do
    figure $study $study-loss "*.h5" "" loss
    figure $study $study-accuracy "*.h5" "" accuracy
done

# -------------------------------------------------------------------------------------------------------------------
if [[ ${1:-} == --list ]]; then
    for i in "${!names[@]}"; do
        printf '%s\t%s\t%s%s\n' "${names[i]}" "${studies[i]}" "${analyses[i]:+analyze ${analyses[i]}; }" "plot ${commands[i]}"
    done
    exit 0
fi
program=$(command -v "${1:-resnet_study}") || { echo "figures.sh: no program ${1:-resnet_study}" >&2; exit 2; }
shift
for study in "$@"; do
    [[ " ${studies[*]} " == *" $study "* ]] || { echo "figures.sh: no study $study has figures; --list names them" >&2; exit 2; }
done

drawn=0 failed=0 skipped=()
fail() { # NAME MESSAGE
    ((failed += 1))
    printf '%s failed:\n%s\n' "$1" "$(tail -n 3 <<<"$2")" >&2
}
newer() { # RESULT RECORD...: whether the result is there and no record is newer
    local result=$1 record
    shift
    for record in "$@"; do
        [[ $result -nt $record ]] || return 1
    done
}
setting() { # RECORD KEY: of its configuration, which stands behind the data's settings
    "$program" info "$1" | sed -n "s/^ *$2: *//p" | tail -n 1
}
# Of the records in `found` those of runs that are done: others may have no last state yet.
keep_finished() { # NAME
    local record finished=()
    for record in "${found[@]}"; do
        [[ $("$program" info "$record" 2>/dev/null | sed -n 's/^state  *\([a-z]*\).*/\1/p') != done ]] || finished+=("$record")
    done
    [[ ${#finished[@]} -eq ${#found[@]} ]] ||
        echo "$1: $((${#found[@]} - ${#finished[@]})) of ${#found[@]} runs are not done and left out"
    found=("${finished[@]}")
    [[ ${#found[@]} -gt 0 ]] || { skipped+=("$1 (no run in $runs is done)"); return 1; }
}
# Into `inputs`: results of an analysis of the records in `found`, made anew where a record is newer.
analyse() { # NAME KIND OPTION...
    local name=$1 kind=$2 result=$out/analyses/$1.h5 output
    shift 2
    [[ $kind == pca ]] || set -- "$@" "${analyze_options[@]}"
    inputs=("$result")
    newer "$result" "${found[@]}" && return
    output=$("$program" analyze "$kind" "${found[@]}" "$@" --overwrite -o "$result" 2>&1) && return
    fail "$name" "$output"
    return 1
}
# Lines from the run of the large batch to that of the small one of the next seed: of the same seed both began from the same weights, and
# no barrier is between them.
interpolate() { # NAME
    local name=$1 record seed size least='' most='' output result i seeds
    local -A of=()
    for record in "${found[@]}"; do
        seed=$(setting "$record" seed) size=$(setting "$record" batch-size)
        of[$seed,$size]=$record
        [[ -n $least && $least -le $size ]] || least=$size
        [[ -n $most && $most -ge $size ]] || most=$size
    done
    mapfile -t seeds < <(printf '%s\n' "${!of[@]}" | sed 's/,.*//' | sort -nu)
    inputs=()
    for i in "${!seeds[@]}"; do
        local next=${seeds[(i + 1) % ${#seeds[@]}]}
        local large=${of[${seeds[i]},$most]:-} small=${of[$next,$least]:-}
        if [[ $next == "${seeds[i]}" || $least == "$most" || -z $large || -z $small ]]; then
            echo "$name: seed ${seeds[i]} is left out: it takes a run of batch $most of it and one of batch $least of another seed"
            continue
        fi
        result=$out/analyses/$name-${seeds[i]}-$next.h5
        inputs+=("$result")
        newer "$result" "$large" "$small" && continue
        output=$("$program" analyze interpolate "$large" "$small" --points 0..10/100,-0.5..1.5/41 \
            "${analyze_options[@]}" --overwrite -o "$result" 2>&1) || { fail "$name" "$output"; return 1; }
    done
    [[ ${#inputs[@]} -gt 0 ]] || { skipped+=("$name (no two seeds with both batch sizes)"); return 1; }
}
draw() { # INDEX
    local name=${names[$1]} output words pattern
    found=()
    read -ra words <<<"${records[$1]}"
    for pattern in "${words[@]}"; do
        while read -r file; do
            found+=("$file")
        done < <(compgen -G "$runs/${studies[$1]}/$pattern" | LC_ALL=C sort)
    done
    if [[ ${#found[@]} -eq 0 ]]; then
        [[ $name == *-shapes-* ]] || # drawn where it is there; no study asks for it
            skipped+=("$name (no $runs/${studies[$1]}/${records[$1]%% *})")
        return
    fi
    read -ra words <<<"${analyses[$1]}"
    [[ ${#words[@]} -eq 0 ]] || keep_finished "$name" || return
    inputs=("${found[@]}")
    if [[ ${words[0]:-} == interpolate ]]; then
        interpolate "$name" || return
    elif [[ ${#words[@]} -gt 0 ]]; then
        analyse "$name" "${words[@]}" || return
    fi
    read -ra words <<<"${commands[$1]}"
    if output=$("$program" plot "${words[0]}" "${inputs[@]}" "${words[@]:1}" "${plot_options[@]}" -o "$out/$name.$format" 2>&1); then
        ((drawn += 1))
        echo "$out/$name.$format"
    else
        fail "$name" "$output"
    fi
}

mkdir -p "$out/analyses" || exit 1
missing=()
for i in "${!names[@]}"; do
    [[ $# -eq 0 || " $* " == *" ${studies[i]} "* ]] || continue
    if compgen -G "$runs/${studies[i]}/*.h5" >/dev/null; then
        draw "$i"
    else
        [[ " ${missing[*]} " == *" ${studies[i]} "* ]] || missing+=("${studies[i]}")
    fi
done
[[ ${#skipped[@]} -eq 0 ]] || printf 'skipped: %s\n' "${skipped[@]}"
for study in "${missing[@]}"; do
    echo "skipped: all figures of $study (there is no record in $runs/$study)"
done
echo "$drawn figures drawn, $failed failed; skipped for want of records: ${#skipped[@]} figures, and ${#missing[@]} studies"
[[ $failed -eq 0 ]]
