#!/bin/sh
# CUDA's compiler, the libraries that the CUDA module needs, and compute-sanitizer, as NVIDIA has them on PyPI, for machines
# without an installed toolkit; about 2 GB. No driver: that comes with the machine.
#   scripts/install_cuda.sh [DIR]              default /opt/cuda
#   CUDA_HOME=DIR scripts/build.sh release     then finds nvcc there, and with it the rest
set -eu
dir=${1:-/opt/cuda}
case $dir in
-*)
    sed -n '2,5s/^# \{0,1\}//p' "$0"
    [ "$dir" = --help ] || exit 2
    exit 0
    ;;
esac
packages="
nvidia-cuda-nvcc==13.0.88
nvidia-cuda-crt==13.0.88
nvidia-cuda-cccl==13.0.85
nvidia-nvvm==13.0.88
nvidia-cuda-runtime==13.0.96
nvidia-cuda-nvrtc==13.0.88
nvidia-cublas==13.0.2.14
nvidia-cudnn-cu13==9.19.0.56
nvidia-cuda-sanitizer-api==13.0.85
"
if [ -e "$dir" ]; then
    echo "install_cuda.sh: $dir is there already; remove it or give another folder" >&2
    exit 1
fi
mkdir -p "$dir" || {
    echo "install_cuda.sh: cannot make $dir; give a folder of your own, as in scripts/install_cuda.sh ~/cuda" >&2
    exit 1
}
dir=$(cd "$dir" && pwd)
trap '[ $? -eq 0 ] || rm -rf "$dir"' EXIT # nothing half made stays
trap 'exit 1' HUP INT TERM
python3 -m venv "$dir/python" || {
    echo "install_cuda.sh: python3 makes no virtual environment; on Debian: apt-get install python3-venv" >&2
    exit 1
}
# shellcheck disable=SC2086 # one word per package
"$dir/python/bin/pip" install --quiet --no-deps $packages

# The folders of an installed toolkit: bin, include and lib64 together, libraries also under the names that linkers look for.
found=$(echo "$dir"/python/lib/python3*/site-packages/nvidia)
toolkit=$found/cu13
for header in "$found"/cudnn/include/*.h; do
    ln -sf "$header" "$toolkit/include/"
done
for library in "$found"/cudnn/lib/*.so.* "$toolkit"/lib/*.so.*; do
    name=$(basename "$library")
    [ -e "$toolkit/lib/$name" ] || ln -s "$library" "$toolkit/lib/$name"
    [ -e "$toolkit/lib/${name%%.so.*}.so" ] || ln -s "$name" "$toolkit/lib/${name%%.so.*}.so"
done
ln -sfn lib "$toolkit/lib64"
for folder in bin include lib64 nvvm; do
    ln -s "$toolkit/$folder" "$dir/$folder"
done
"$dir/bin/nvcc" --version | tail -n 2
