#!/bin/sh
# test_python.py with the newest h5py (which brings an HDF5 of its own), pandas, xarray, h5netcdf and netCDF4 of PyPI, in a virtual
# environment that is kept: newest.sh PROGRAM FOLDER. Exit status 77 where they cannot be installed.
set -eu
program=$1 folder=$2
here=$(dirname "$(readlink -f "$0")")
skip() { echo "skipped: $1"; exit 77; }
if [ ! -e "$folder/complete" ]; then
    rm -rf "$folder"
    python3 -m venv "$folder" >/dev/null 2>&1 || skip "python3 makes no virtual environments here (Debian: python3-venv)"
    "$folder/bin/pip" install -q h5py pandas xarray h5netcdf netCDF4 >"$folder/log" 2>&1 || skip "pip cannot install h5py, pandas, xarray"
    touch "$folder/complete"
fi
exec "$folder/bin/python" -B "$here/test_python.py" "$program"
