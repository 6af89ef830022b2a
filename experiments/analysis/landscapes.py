"""Family D, small networks: fits of a function, tracks of weights, the line between two minima, second derivatives.

    for study in function_fit weight_pca flatness_interpolation minimal_ratio_published; do resnet_study run experiments/$study.yaml; done
    resnet_study analyze pca runs/weight_pca/*.h5 -o runs/pca.h5
    resnet_study analyze interpolate runs/flatness_interpolation/A.h5 runs/flatness_interpolation/B.h5 -o runs/line.h5
    resnet_study analyze hessian runs/minimal_ratio_published/RUN.h5@all -o runs/hessian.h5
    /usr/bin/python3 experiments/analysis/landscapes.py [RUNS]           # cells for Jupyter, VS Code or Spyder
"""
# %% Where the records are, and the picture goes
import glob
import sys

import h5py
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt

runs = sys.argv[1] if len(sys.argv) > 1 else "runs"
figure, axes = plt.subplots(2, 2, figsize=(9, 6.5), constrained_layout=True)

# %% Fits: validation loss by epoch, and when a run stopped
for path in sorted(glob.glob(f"{runs}/function_fit/*.h5")):
    with h5py.File(path) as f:
        axes[0, 0].loglog(range(1, len(f["epoch"]) + 1), f["epochs/valid_loss"][:], label=f"{f.attrs['network']} {f.attrs['seed']}")
        reason, loss, fit = f["reason"].asstr()[0], f["epochs/valid_loss"][-1], f["epochs/valid_r_squared"][-1]
        print(f"{f.attrs['network']}, seed {f.attrs['seed']}: {len(f['epoch'])} epochs ({reason}), loss {loss:.4g}, R² {fit:.4f}")

# %% Tracks of the weights in the plane of the first two components
with h5py.File(f"{runs}/pca.h5") as f:
    points, run, ratio = f["point/coordinate"][:], f["point/run"][:], f["component/ratio"][:]
    for i in sorted(set(run)):
        axes[0, 1].plot(*points[run == i][:, :2].T, marker="o", label=f"run {i}")
    print(f"components: {ratio[0]:.1%} and {ratio[1]:.1%} of the variance; at most {f['point/off_plane'][:].max():.3g} off the plane")

# %% The line between two minima
with h5py.File(f"{runs}/line.h5") as f:
    for split in ("train", "test"):
        loss = f[f"{split}/loss"][:]
        axes[1, 0].plot(f["alpha"][:], loss, label=split)
        print(f"{split} loss on the line: {loss.min():.4g} to {loss.max():.4g}")

# %% Eigenvalues of the Hessian, and the share of positive second derivatives
with h5py.File(f"{runs}/hessian.h5") as f:
    values = f["measured0/eigenvalues"][:]
    axes[1, 1].plot(sorted(values), ".", markersize=3)
    axes[1, 1].set_yscale("symlog", linthresh=1e-6)
    print(f"share of positive second derivatives {f['minimal_ratio'][0]:.3f}, eigenvalues {values.min():.4g} to {values.max():.4g}")

# %% The picture
titles = ("fits: validation loss", "weights in two components", "loss between two minima", "eigenvalues of the Hessian")
for axis, title, below in zip(axes.flat, titles, ("epoch", "first component", "α", "eigenvalue, in order")):
    axis.set(title=title, xlabel=below)
for axis in axes.flat[:3]:
    axis.legend(fontsize=6)
figure.savefig(f"{runs}/landscapes.png", dpi=150)
