#!/bin/bash
# Every study once, very small, on built-in data: do all run to their end and to a summary? Nothing is learned from the figures.
#   experiments/smoke.sh [PROGRAM [FOLDER]]     about five minutes on two cores; records go to FOLDER (default: a temporary one)
#   SMOKE_OPTIONS="--set device=ref" experiments/smoke.sh ...   further options of `run`, for all of them
set -uo pipefail
here=$(dirname "$(readlink -f "$0")")
program=${1:-resnet_study}
folder=${2:-}
if [[ -z $folder ]]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi
images="--set dataset=shapes --set train-limit=128 --set test-limit=64 --set epochs=2"
batch="--set batch-size=64"
curve="--set function-samples=200 --set function-valid=40 --set epochs=20 --set snapshots=epochs:0,20"
split="--set valid-split=32"
blocks="--set depth=18 --set blocks=1,1,1,1 --set snapshots=epochs:0,2"
last="--set snapshots=epochs:0,2"

# STUDY and what makes it small. What is left out of a list is the same code with another number.
studies=(
    "minkowski_even $images $batch $blocks" "minkowski $images $batch $blocks" "euclidean $images $batch $blocks"
    "standard_layers $images $batch $last" "isolated_layers $images $batch $last --set isolate-from=1" "always_isolated $images $batch $last"
    "per_layer_loss $images $batch $last"
    "learning_rates $images $batch $split $last --set learning-rate=0.05" "lr_schedule $images $batch $split $last"
    "dropout_rates $images $batch $split $last --set dropout=0,0.6" "dropout_transfer $images $batch $split $last"
    "gradient_flow $images $batch $split $last" "batch_norm $images $batch $split $last"
    "function_fit $curve" "function_fit_sinc $curve" "gradient_norm $curve"
    "minimal_ratio $curve" "minimal_ratio_published $curve --turns 2"
    "mnist_cnns $images $batch $last" "weight_pca $images $batch $last" "random_labels $images $batch $last"
    "parameters_vs_generalisation $images $batch $last --set network=mlp-5-9"
    "flatness_interpolation $images $batch $last" "flatness_sensitivity $images $batch $last"
    "flatness_sensitivity_published $images $last"
    "activations $images $batch $last --set train-limit=64" "architectures $images $batch $last --set train-limit=64"
    "initialisation $images $batch $last --set train-limit=64"
    "cifar_hyperparameters $images $last --case default,batch-1,momentum-0" "cifar_architectures $images $batch $last"
)
passed=0 failed=0
for line in "${studies[@]}"; do
    read -r study options <<<"$line"
    # shellcheck disable=SC2086 # words are options
    if output=$("$program" run "$here/$study.yaml" $options --seeds 1 --set threads=1 --jobs 2 --out-dir "$folder" --quiet \
        ${SMOKE_OPTIONS:-} 2>&1) && [[ -s $folder/${study}_summary.csv ]]; then
        ((passed += 1))
    else
        ((failed += 1))
        echo "$study failed:" && echo "$output" | tail -n 3
    fi
done
for file in "$here"/*.yaml; do
    name=$(basename "$file" .yaml)
    [[ " ${studies[*]}" == *" $name "* || " ${studies[*]%% *} " == *" $name "* ]] || { echo "$name is not in smoke.sh"; ((failed += 1)); }
done
echo "$passed passed, $failed failed"
((failed == 0))
