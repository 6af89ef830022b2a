"""test_python.py PROGRAM: records, results and summaries in h5py, pandas and xarray of the Python that runs this.

h5py reads every data set with its scales and labels. pandas and xarray (through h5netcdf, and through netCDF4 where that is) must
see the same numbers under the names of their axes. What is missing is named and its test left out."""
import importlib
import warnings

import numpy as np

import files
import program

h5py = program.need_h5py()


def missing(*names):
    without = []
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            without.append(name)
    if without:
        print(f"skipped: this Python has no {', '.join(without)}")
    return bool(without)


def walk(path):
    """[(name, data set)], while the file is open."""
    with h5py.File(path, "r") as f:
        found = []
        f.visititems(lambda name, item: found.append((name, item)) if isinstance(item, h5py.Dataset) else None)
        yield from found


def check_axes(name, item):
    for axis, rows in zip(item.dims, item.shape):
        for scale in axis.values():
            assert len(scale) == rows, f"{name}: {scale.name} has {len(scale)} rows of {rows}"
            assert scale.attrs["CLASS"] == b"DIMENSION_SCALE" and scale.attrs["NAME"], f"{name}: {scale.name}"


def test_h5py(p):
    print(f"h5py {h5py.__version__}, HDF5 {h5py.version.hdf5_version}")
    files.make(p)
    for name in files.RECORDS + files.RESULTS:
        count = 0
        for path, item in walk(p.file(name)):
            values = item[()]
            assert np.shape(values) == item.shape, path
            if name in files.RESULTS and item.attrs.get("CLASS") != b"DIMENSION_SCALE":
                assert all(axis.label and len(axis) == 1 for axis in item.dims), f"{name}: {path} has an axis without label or scale"
                assert item.attrs["what"] and item.attrs["unit"], path
            check_axes(path, item)
            count += 1
        assert count > 5, name
    with h5py.File(p.file("run.h5")) as f:
        distances = f["steps/distance_to_initial/cosine"]
        assert [axis.label for axis in distances.dims] == ["step", "block"]
        assert list(distances.dims[1]["name"].asstr()) == list(f["blocks/name"].asstr()) == list(f["block"].asstr())


def test_pandas(p):
    if missing("pandas"):
        return
    import pandas
    print(f"pandas {pandas.__version__}")
    files.make(p)
    with h5py.File(p.file("run.h5")) as f:
        epochs = pandas.DataFrame({name: f["epochs"][name][:] for name in f["epochs"]}, index=pandas.Index(f["epoch"][:], name="epoch"))
        distances = pandas.DataFrame(f["steps/distance_to_initial/minkowski:1"][:], columns=f["block"].asstr()[:])
        parameters = pandas.DataFrame({name: f["parameters"][name][:] for name in ("count", "block")},
                                      index=f["parameters/name"].asstr()[:])
        assert epochs.shape[0] == 2 and epochs["train_loss"].notna().all()
        assert distances["layer4.0"].iloc[-1] == f["steps/distance_to_initial/minkowski:1"][-1, 3]
        assert parameters.loc["fc.weight", "count"] == f["weights/fc.weight"][0].size
        body = parameters[parameters.block >= 0]
        own = body.groupby("block")["count"].sum()
        assert (f["blocks/weights"][:] <= own.to_numpy()).all() and len(own) == 4, "weights of blocks"
    table = pandas.read_csv(p.file("small_summary.csv"))
    last = table[(table.epoch == "last") & (table.quantity == "train_loss")].set_index("group")
    with h5py.File(p.file("small_summary.h5")) as f:
        frame = pandas.DataFrame({k: f["last/train_loss"][k][:] for k in ("mean", "std", "n")}, index=f["groups/label"].asstr()[:])
    assert len(last) == 2 and (last["n"] == frame.loc[last.index, "n"]).all()
    assert np.allclose(last[["mean", "std"]], frame.loc[last.index, ["mean", "std"]], rtol=1e-8, atol=0)


def groups(path):
    with h5py.File(path) as f:
        found = [None]
        f.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Group) else None)
    return found


def open_all(xarray, path, options):
    """Every folder opens, with the shapes that h5py sees."""
    for group in groups(path):
        with xarray.open_dataset(path, group=group, **options) as data, h5py.File(path) as f:
            data.load()
            folder = f[group] if group else f
            own = {name: item.shape for name, item in folder.items() if isinstance(item, h5py.Dataset)}
            for name, shape in own.items():
                assert data[name].shape == shape, f"{options}: {path}: {group}/{name}: {data[name].shape} instead of {shape}"
                if folder[name].dtype.kind in "fi":
                    assert np.array_equal(data[name].values, folder[name][()], equal_nan=folder[name].dtype.kind == "f"), name
            if files.RESULTS.count(path.rsplit("/", 1)[1]):
                assert not any(str(axis).startswith("phony") for axis in data.sizes), f"{path}: {group}: {dict(data.sizes)}"


def check_xarray(p, engine):
    import xarray
    print(f"xarray {xarray.__version__} through {engine}")
    files.make(p)
    options = {"engine": engine, **({"phony_dims": "sort"} if engine == "h5netcdf" else {})}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for name in files.RECORDS + files.RESULTS:
            open_all(xarray, p.file(name), options)
        with xarray.open_dataset(p.file("run.h5"), group="steps/distance_to_initial", **options) as data:
            assert data["cosine"].dims == ("step", "block")
        with xarray.open_dataset(p.file("small_summary.h5"), group="epochs/train_loss", **options) as data:
            assert data["mean"].dims == ("group", "epoch") and data["mean"].shape == (2, 2)
        with xarray.open_dataset(p.file("pca.h5"), group="point", **options) as data:
            assert data["coordinate"].dims == ("point", "component")


def test_xarray_h5netcdf(p):
    if not missing("xarray", "h5netcdf"):
        check_xarray(p, "h5netcdf")


def test_xarray_netcdf4(p):
    if not missing("xarray", "netCDF4"):
        check_xarray(p, "netcdf4")


if __name__ == "__main__":
    program.main([test_h5py, test_pandas, test_xarray_h5netcdf, test_xarray_netcdf4])
