"""Family C, gradients and schedules: which layers get gradients in the first and the last steps (gradient_flow), and what the learning
rate's schedule does to the loss (lr_schedule)?

    resnet_study run experiments/gradient_flow.yaml
    resnet_study run experiments/lr_schedule.yaml --seeds 1..3
    /usr/bin/python3 experiments/analysis/gradient_flow.py [RUNS]        # cells for Jupyter, VS Code or Spyder
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
figure, axes = plt.subplots(1, 3, figsize=(12, 3.8), constrained_layout=True)

# %% |gradient| of every weight tensor over the first and the last five steps: its mean, and its deviation over all elements of them
for path in sorted(glob.glob(f"{runs}/gradient_flow/*.h5")):
    with h5py.File(path) as f:
        names = f["parameter"].asstr()[:]
        weights = [i for i, name in enumerate(names) if name.endswith("weight")]
        print(f.attrs["network"])
        for axis, window in zip(axes, (slice(0, 5), slice(-5, None))):
            m, s = f["steps/gradient_abs_mean"][window].astype(float), f["steps/gradient_abs_std"][window].astype(float)
            mean = m.mean(axis=0)
            std = np.sqrt((s**2 + m**2).mean(axis=0) - mean**2)
            axis.errorbar(range(len(weights)), mean[weights], yerr=std[weights], marker="o", capsize=2, label=f.attrs["network"])
            print(f"    {'first' if window.start == 0 else 'last'} 5: first layer {mean[0]:.3g}, last layer {mean[weights[-1]]:.3g}")

# %% Training loss under every schedule: the mean over the seeds
losses = {}
for path in sorted(glob.glob(f"{runs}/lr_schedule/*.h5")):
    with h5py.File(path) as f:
        schedule = re.search(r"^schedule: (\S+)", f["config"].asstr()[()], re.M)[1]
        losses.setdefault(schedule, []).append(f["epochs/train_loss"][:])
for schedule, series in losses.items():
    axes[2].plot(np.mean(series, axis=0), label=schedule)
    print(f"{schedule}: training loss {np.mean(series, axis=0)[-1]:.4f} after {len(series[0])} epochs, {len(series)} seeds")

# %% The picture
for axis, title in zip(axes, ("|gradient|, first 5 steps", "|gradient|, last 5 steps", "training loss by schedule")):
    axis.set(title=title, xlabel="weight tensor" if axis is not axes[2] else "epoch")
    axis.legend(fontsize=7)
figure.savefig(f"{runs}/gradient_flow.png", dpi=150)
