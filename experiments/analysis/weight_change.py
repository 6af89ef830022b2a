"""Family A, weight change: which blocks of minkowski_even's runs moved most, plain beside residual?

    resnet_study run experiments/minkowski_even.yaml --set dataset=cifar10 --set depth=18 --seeds 1
    /usr/bin/python3 experiments/analysis/weight_change.py [RUNS]        # cells for Jupyter, VS Code or Spyder
"""
# %% The records, and where the picture goes
import glob
import re
import sys

import h5py
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

runs = sys.argv[1] if len(sys.argv) > 1 else "runs"
records = sorted(glob.glob(f"{runs}/minkowski_even/*.h5"))

# %% Mean movement of a weight of every block since the start, and in a single step
moved = {}
for path in records:
    with h5py.File(path) as f:
        config = f["config"].asstr()[()]
        kind = "plain" if re.search(r"^plain: true$", config, re.M) else "residual"
        depth, data = re.search(r"^depth: (\d+)", config, re.M)[1], re.search(r"^dataset: (\S+)", config, re.M)[1]
        initial = f["steps/distance_to_initial/minkowski:1"][:] / f["blocks/weights"][:]
        previous = f["steps/distance_to_previous/minkowski:1"][:] / f["blocks/weights"][:]
        medians = np.median(initial, axis=0), np.median(previous, axis=0)
        moved[f"{depth} {kind}, {data}, seed {f.attrs['seed']}"] = (f["blocks/depth"][:], *medians)

# %% First block against last: above 1, blocks near the input move more
for name, (depth, initial, previous) in moved.items():
    print(f"{name}: first / last block {initial[0] / initial[-1]:.3f} since the start, {previous[0] / previous[-1]:.3f} in a step")

# %% Medians over the steps, by block
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), constrained_layout=True)
for name, (depth, initial, previous) in moved.items():
    style = "--" if "plain" in name else "-"
    axes[0].plot(depth, initial, style, marker="o", label=name)
    axes[1].semilogy(depth, previous, style, marker="o", label=name)
for axis, title in zip(axes, ("since the start", "in a step")):
    axis.set(title=f"median change of a weight {title}", xlabel="block")
    axis.xaxis.get_major_locator().set_params(integer=True)
axes[0].legend(fontsize=7)
figure.savefig(f"{runs}/weight_change.png", dpi=150)
