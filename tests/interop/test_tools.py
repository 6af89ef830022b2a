"""test_tools.py PROGRAM: programs of others on our files: h5dump, h5ls, h5stat, h5diff, h5repack of the installed HDF5, and ncdump.

What they print is compared with what h5py reads. A missing program is named and its test left out."""
import re
import shutil
from collections import Counter

import files
import program

h5py = program.need_h5py()


def missing(*names):
    without = [name for name in names if not shutil.which(name)]
    if without:
        print(f"skipped: no {', '.join(without)} here (Debian: hdf5-tools, netcdf-bin)")
    return bool(without)


def sizes(path):
    """{path: shape} of every data set."""
    found = {}
    with h5py.File(path, "r") as f:
        f.visititems(lambda name, item: found.update({name: item.shape}) if isinstance(item, h5py.Dataset) else None)
    return found


def check_listing(path):
    listed = {}
    for line in files.tool("h5ls", "-r", path).splitlines():
        match = re.match(r"^/(\S+) +Dataset \{(.*)\}$", line)
        if match:
            sides = match[2].replace("SCALAR", "").split(", ") if match[2] != "SCALAR" else []
            listed[match[1]] = tuple(int(side.split("/")[0]) for side in sides)
    assert listed == sizes(path), f"h5ls of {path}: {set(listed.items()) ^ set(sizes(path).items())}"


def check_values(path, name):
    """A series of numbers, digit by digit."""
    text = files.tool("h5dump", "-y", "-w", "0", "-m", "%.17g", "-d", "/" + name, path)
    numbers = [float(word) for word in re.search(r"\bDATA \{(.*?)\}", text, re.S)[1].replace(",", " ").split()]
    with h5py.File(path, "r") as f:
        values = f[name][:].ravel()
    assert len(numbers) == len(values) > 0 and all(a == b or (a != a and b != b) for a, b in zip(numbers, values)), f"{path}: {name}"


def test_hdf5_tools(p):
    if missing("h5dump", "h5ls", "h5stat", "h5diff", "h5repack"):
        return
    print(files.tool("h5dump", "--version").strip())
    files.make(p)
    for name in files.RECORDS + files.RESULTS:
        path = p.file(name)
        check_listing(path)
        files.tool("h5ls", "-r", "-v", path)
        files.tool("h5dump", "-H", path)
        files.tool("h5dump", "-o", p.file("all.txt"), path)
        files.tool("h5stat", path)
    check_values(p.file("run.h5"), "steps/loss")
    check_values(p.file("run.h5"), "steps/distance_to_initial/cosine")
    check_values(p.file("pca.h5"), "point/coordinate")
    check_values(p.file("small_summary.h5"), "last/train_loss/mean")
    text = files.tool("h5dump", "-a", "/steps/distance_to_initial/cosine/DIMENSION_LABELS", p.file("run.h5"))
    assert '"step", "block"' in text, text
    files.tool("h5repack", "-f", "GZIP=1", p.file("run.h5"), p.file("packed.h5"))
    files.tool("h5diff", p.file("run.h5"), p.file("packed.h5"))


def check_ncdump(path):
    """Every data set is a variable, and no axis that has a scale lost its name."""
    text = files.tool("ncdump", "-h", path)
    declared = re.findall(r"^\s*(?:string|char|double|float|int64) ((?:\\.|[^\\(:\s])+) ?(?:\(.*\))? ;$", text, re.M)
    variables = Counter(name.replace("\\", "") for name in declared)
    expected = Counter(name.split("/")[-1] for name in sizes(path))
    assert variables == expected, f"{path}: {expected - variables} missing, {variables - expected} too many"
    return text


def test_ncdump(p):
    if missing("ncdump"):
        return
    files.make(p)
    for name in files.RESULTS:
        assert "phony_dim" not in check_ncdump(p.file(name)), f"{name}: an axis without a name"
    for name in files.RECORDS:
        check_ncdump(p.file(name))
    text = files.tool("ncdump", "-v", "steps/loss", p.file("run.h5"))
    assert re.search(r"double loss\(step\) ;", text), text[:2000]


if __name__ == "__main__":
    program.main([test_hdf5_tools, test_ncdump])
