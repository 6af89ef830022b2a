#!/bin/bash
# Every study once, very small, on built-in data: do all run to their end and to a summary, and do the analyses of some work on
# their records? Nothing is learned from the figures.
#   experiments/smoke.sh [PROGRAM [FOLDER]]      a minute or two on two cores; records go to FOLDER (default: a temporary one)
#   experiments/smoke.sh --few [PROGRAM [FOLDER]]                       some studies of different kinds: half a minute of one core
#   SMOKE_OPTIONS="--set device=ref" experiments/smoke.sh ...                               further options of `run`, for all of them
set -uo pipefail
if [[ ${1:-} == --help || ${1:-} == -h ]]; then
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
fi
here=$(dirname "$(readlink -f "$0")")
few=false words=()
for word in "$@"; do
    case $word in
    --few) few=true ;;
    -*) echo "smoke.sh: $word: unknown option; there are --few and --help" >&2 && exit 2 ;;
    *) words+=("$word") ;;
    esac
done
set -- "${words[@]}"
[[ $# -le 2 ]] || { echo "smoke.sh: $3: what is this? A program and a folder are all it takes" >&2; exit 2; }
program=$(command -v "${1:-resnet_study}") || { echo "smoke.sh: no program ${1:-resnet_study}" >&2; exit 2; }
folder=${2:-}
if [[ -z $folder ]]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi
images="--set dataset=shapes --set train-limit=128 --set test-limit=64 --set epochs=2"
images64="--set dataset=shapes --set train-limit=64 --set test-limit=64 --set epochs=2"
batch="--set batch-size=64"
curve="--set function-samples=200 --set function-valid=40 --set epochs=20"
split="--set valid-split=32"
blocks="--set depth=18 --set blocks=1,1,1,1 --set snapshots=epochs:0,2"

# STUDY and what makes it small. What is left out of a list is the same code with another number.
studies=(
    "minkowski_even $images $batch $blocks" "minkowski $images $batch $blocks" "euclidean $images $batch $blocks"
    "standard_layers $images $batch" "isolated_layers $images $batch --set isolate-from=1" "always_isolated $images $batch"
    "per_layer_loss $images $batch"
    "learning_rates $images $batch $split --set learning-rate=0.05" "lr_schedule $images $batch $split"
    "dropout_rates $images $batch $split --set dropout=0,0.6" "dropout_transfer $images $batch $split"
    "gradient_flow $images $batch $split" "batch_norm $images $batch $split"
    "function_fit $curve" "function_fit_sinc $curve" "gradient_norm $curve"
    "minimal_ratio $curve" "minimal_ratio_published $curve --turns 2"
    "mnist_cnns $images $batch" "weight_pca $images $batch --set snapshots=all" "random_labels $images $batch"
    "parameters_vs_generalisation $images $batch --set network=mlp-5-9"
    "flatness_interpolation $images --set batch-size=64,32" "flatness_sensitivity $images --set batch-size=64,32"
    "flatness_sensitivity_published $images"
    "activations $images64 $batch" "architectures $images64 $batch" "initialisation $images64 $batch"
    "cifar_hyperparameters $images --case default,batch-1,momentum-0" "cifar_architectures $images $batch"
)
# A ResNet, isolated layers, stages, a function, a series, regression with a stop rule: and what is analysed below.
few_studies="minkowski_even isolated_layers dropout_transfer minimal_ratio_published mnist_cnns weight_pca flatness_interpolation"

passed=0 failed=0
fail() { # WHAT MESSAGE
    ((failed += 1))
    printf '%s failed:\n%s\n' "$1" "$(tail -n 3 <<<"$2")"
}
run_study() { # STUDY OPTION...
    local study=$1 output
    shift
    if output=$("$program" run "$here/$study.yaml" "$@" --seeds 1 --set threads=1 --jobs 2 --out-dir "$folder" --quiet 2>&1) &&
        { compgen -G "$folder/$study.*_summary.csv" || [[ -s $folder/${study}_summary.csv ]]; } >/dev/null; then
        ((passed += 1))
    else
        fail "$study" "$output"
    fi
}
analyse() { # WHAT ARGUMENT...: of records of the studies above
    local output
    if output=$(OMP_NUM_THREADS=1 "$program" analyze "$@" 2>&1); then
        ((passed += 1))
    else
        fail "analyze $1" "$output"
    fi
}

names=()
for line in "${studies[@]}"; do
    read -ra words <<<"$line ${SMOKE_OPTIONS:-}"
    names+=("${words[0]}")
    [[ $few == false || " $few_studies " == *" ${words[0]} "* ]] || continue
    [[ $few == false || ${words[0]} != isolated_layers ]] || words+=(--case nn-small,cnn-small)
    run_study "${words[@]}"
done
for file in "$here"/*.yaml; do
    name=$(basename "$file" .yaml)
    [[ " ${names[*]} " == *" $name "* ]] || fail "$name" "it is not in smoke.sh"
done
lines=("$folder"/flatness_interpolation/*.h5)
analyse pca "$folder"/weight_pca/*.h5 -o "$folder/pca.h5"
analyse interpolate "${lines[0]}" "${lines[-1]}" --points 0,0.5,1 -o "$folder/line.h5"
ratios=("$folder"/minimal_ratio_published/*.h5)
analyse hessian "${ratios[0]}" -o "$folder/hessian.h5"
echo "$passed passed, $failed failed"
((failed == 0))
