"""Family E, choices: final accuracies of activations' runs, mean and deviation over the seeds, the best marked.

    resnet_study run experiments/activations.yaml
    /usr/bin/python3 experiments/analysis/tables.py [RUNS]               # cells for Jupyter, VS Code or Spyder
"""
# %% The records, and where the picture goes
import glob
import sys

import h5py
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

runs = sys.argv[1] if len(sys.argv) > 1 else "runs"
records = sorted(glob.glob(f"{runs}/activations/*.h5"))

# %% Accuracy of the validation set by epoch, gathered over the seeds
accuracy = {}
for path in records:
    with h5py.File(path) as f:
        if f["state"].asstr()[0] == "done":
            accuracy.setdefault(f.attrs["network"], []).append(f["epochs/valid_accuracy"][:])

# %% The table
last = {name: np.array(series)[:, -1] for name, series in accuracy.items()}
best = max(last, key=lambda name: last[name].mean())
for name, values in last.items():
    spread = values.std(ddof=1) if len(values) > 1 else float("nan")
    print(f"{name:16} {values.mean():.4f} ± {spread:.4f}  ({len(values)} seeds){'  best' if name == best else ''}")

# %% Mean and deviation by epoch
figure, axis = plt.subplots(figsize=(5, 3.6), constrained_layout=True)
for name, series in accuracy.items():
    epochs, mean, spread = range(1, len(series[0]) + 1), np.mean(series, axis=0), np.std(series, axis=0, ddof=1 if len(series) > 1 else 0)
    axis.plot(epochs, mean, label=name)
    axis.fill_between(epochs, mean - spread, mean + spread, alpha=0.25)
axis.set(xlabel="epoch", ylabel="validation accuracy")
axis.legend()
figure.savefig(f"{runs}/tables.png", dpi=150)
