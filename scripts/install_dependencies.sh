#!/bin/sh
# Installs what the project needs and this machine lacks, with apt (as root, or with sudo).
#   scripts/install_dependencies.sh            to build and run
#   scripts/install_dependencies.sh --look     also gnuplot, for `plot`, and HDF5's tools and Python with h5py, to look at records
#   scripts/install_dependencies.sh --tests    also what the tests need
#   scripts/install_dependencies.sh --lint     also clang-format, clang-tidy and valgrind
#   scripts/install_dependencies.sh --cuda     also what nvcc and scripts/install_cuda.sh need, not CUDA itself
#   scripts/install_dependencies.sh --run      only what a program that was built on Debian 12 needs to run there
set -eu

# One entry per line; "a|b" is satisfied by either, the first is installed.
build="
gcc
libc6-dev
cmake
ninja-build
pkg-config|pkgconf
git
ca-certificates
libgomp1
libdnnl-dev
libopenblas-openmp-dev
libhdf5-dev
librandom123-dev
libyaml-dev
zlib1g-dev
libcurl4-openssl-dev|libcurl4-gnutls-dev|libcurl4-nss-dev
libarchive-dev
libssl-dev
"
look="
gnuplot-nox|gnuplot-qt|gnuplot-x11
python3
python3-h5py
hdf5-tools
"
tests="
libcmocka-dev
gnuplot-nox|gnuplot-qt|gnuplot-x11
python3
python3-numpy
python3-h5py
python3-pandas
python3-matplotlib
python3-venv
hdf5-tools
netcdf-bin
zsh
mandoc
"
lint="
clang-format
clang-tidy
libomp-dev
valgrind
libc6-dbg
"

cuda="
g++
python3
python3-venv
"
run="
libgomp1
libdnnl2
libopenblas0-openmp
libhdf5-103-1
libhdf5-hl-100
libyaml-0-2
zlib1g
libcurl4
libarchive13
libssl3
libstdc++6
ca-certificates
"

wanted=$build
for option in "$@"; do
    case $option in
    --look) wanted="$wanted $look" ;;
    --tests) wanted="$wanted $tests" ;;
    --lint) wanted="$wanted $lint" ;;
    --cuda) wanted="$wanted $cuda" ;;
    --run) wanted=$run ;;
    -h | --help)
        sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    *)
        echo "install_dependencies.sh: unknown option $option; allowed: --look --tests --lint --cuda --run" >&2
        exit 2
        ;;
    esac
done

if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
    cat >&2 <<'END'
install_dependencies.sh: this system has no apt, so nothing was installed. Install these with its package manager
(C compiler with OpenMP, development files of the libraries), then configure with: cmake --preset release
  to build: gcc or clang, CMake 3.25 or newer, ninja, pkg-config, oneDNN 2.6 or newer, OpenBLAS (built with OpenMP),
            HDF5 1.10 or newer (serial, with its high-level library), Random123, libyaml, zlib, libcurl, libarchive, OpenSSL
  to draw:  gnuplot with its cairo terminals (optional, a program of its own; 5.4 was tried)
  to test:  cmocka, Python 3 with numpy, h5py, pandas and matplotlib, the HDF5 tools, gnuplot, ncdump, zsh, mandoc
END
    exit 1
fi

# Older distributions have the packages, but too old a CMake: better said here than by a build that fails.
check_cmake() {
    version=$(cmake --version 2>/dev/null | sed -n '1s/[^0-9]*\([0-9]*\.[0-9]*\).*/\1/p')
    case $version in
    [0-2].* | 3.[0-9] | 3.1[0-9] | 3.2[0-4])
        echo "install_dependencies.sh: CMake $version is too old, 3.25 is needed; python3 -m pip install cmake has a newer one" >&2
        exit 1
        ;;
    esac
}

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for entry in $wanted; do
    found=no
    for package in $(echo "$entry" | tr '|' ' '); do
        if installed "$package"; then
            found=yes
        fi
    done
    [ $found = yes ] || missing="$missing ${entry%%|*}"
done
if [ -z "$missing" ]; then
    check_cmake
    echo "install_dependencies.sh: everything needed is installed"
    exit 0
fi

echo "install_dependencies.sh: installing$missing"
as_root=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "install_dependencies.sh: needs root; as root run: apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $as_root apt-get update -q && $as_root apt-get install -q -y --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    echo "install_dependencies.sh: apt-get failed (above: its last lines)" >&2
    exit 1
fi
check_cmake
