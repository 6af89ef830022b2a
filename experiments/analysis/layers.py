"""Family B, layers: how do layers learn once no gradient crosses their boundaries? The runs of isolated_layers.

    resnet_study run experiments/isolated_layers.yaml --case nn-small
    /usr/bin/python3 experiments/analysis/layers.py [RUNS]               # cells for Jupyter, VS Code or Spyder
"""
# %% The records, and where the picture goes
import glob
import re
import sys

import h5py
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt

runs = sys.argv[1] if len(sys.argv) > 1 else "runs"
records = sorted(glob.glob(f"{runs}/isolated_layers/*.h5"))

# %% Of every run: what its layers learn by, its test accuracy, and each layer's own loss (its output's distance to --layer-target)
curves = {}
for path in records:
    with h5py.File(path) as f:
        objective = re.search(r"^isolate: (\S+)", f["config"].asstr()[()], re.M)[1]
        layers, losses = f["layer"].asstr()[:], f["steps/layer_loss"][:]
        name = f"{f.attrs['network']}, {objective}, seed {f.attrs['seed']}"
        curves[name] = (layers, losses)
        print(f"{name}: test accuracy {f['epochs/test_accuracy'][-1]:.4f}")
        for layer, first, last in zip(layers, losses[0], losses[-1]):
            print(f"    {layer:12} own loss {first:.4f} -> {last:.4f}")

# %% The curves of the layers, one panel a run
count = len(curves)
figure, axes = plt.subplots(-(-count // 2), 2, figsize=(9, 2.4 * -(-count // 2)), sharex=True, squeeze=False, constrained_layout=True)
for axis, (name, (layers, losses)) in zip(axes.flat, curves.items()):
    for i, layer in enumerate(layers):
        axis.plot(losses[:, i], color=plt.cm.viridis(i / max(len(layers) - 1, 1)), label=layer)
    axis.set_title(name, fontsize=8)
axes.flat[0].legend(fontsize=5, ncol=2)
figure.supxlabel("step")
figure.supylabel("mean squared distance of a layer's output")
figure.savefig(f"{runs}/layers.png", dpi=150)
