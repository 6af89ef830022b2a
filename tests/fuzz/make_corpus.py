#!/usr/bin/env python3
"""Makes corpus/, the small files that fuzzing begins with and that the tests replay, and yaml.dict, words for texts.

    tests/fuzz/make_corpus.py build/release/resnet_study

Records, checkpoints and results are the program's own; networks and studies are those of networks/ and experiments/; the rest is
written here, by the formats' specifications. A file TARGET.good-NAME must be accepted, any other may be refused.
"""
import bz2
import gzip
import io
import json
import lzma
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CORPUS = os.path.join(HERE, "corpus")
tarfile.RECORDSIZE = tarfile.BLOCKSIZE  # archives end with themselves, not at 10 KiB
FUNCTION = ["--dataset=function", "--function=sin-log", "--function-samples=8", "--function-valid=4", "--batch-size=4",
            "--device=ref", "--threads=1", "--epochs=2", "--quiet"]


def put(name, content):
    with open(os.path.join(CORPUS, name), "wb") as f:
        f.write(content)


def idx():
    images = struct.pack(">IIII", 0x803, 4, 3, 2) + bytes(range(24))
    labels = struct.pack(">II", 0x801, 4) + bytes([0, 1, 2, 3])

    def pair(limit, a, b):
        return bytes([limit]) + struct.pack("<H", len(a)) + a + b

    put("idx.good-plain", pair(0, images, labels))
    put("idx.good-limit", pair(2, images, labels))
    put("idx.good-gzip", pair(0, gzip.compress(images, mtime=0), gzip.compress(labels, mtime=0)))
    put("idx.good-members", pair(1, gzip.compress(images[:20], mtime=0) + gzip.compress(images[20:], mtime=0), labels))
    put("idx.count", pair(0, images[:4] + b"\xff\xff\xff\xff" + images[8:], labels))
    put("idx.label", pair(0, images, labels[:-1] + b"\x04"))
    put("idx.cut", pair(0, gzip.compress(images, mtime=0)[:-9], labels))


def cifar():
    ten = b"".join(bytes([label]) + bytes(range(12)) for label in (0, 5, 9))
    hundred = b"".join(bytes([label // 5, label]) + bytes(range(12)) for label in (0, 50, 99))
    put("cifar.good-ten", ten)
    put("cifar.good-hundred", hundred)
    put("cifar.label", ten[:13] + b"\x0a" + ten[14:])
    put("cifar.gzip", gzip.compress(ten, mtime=0))
    put("cifar.cut", ten[:-1])


def tensors(header, data):
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data


def safetensors():
    f32 = struct.pack("<9f", *range(9))
    both = {"fc.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
            "fc.bias": {"dtype": "F32", "shape": [3], "data_offsets": [24, 36]}, "__metadata__": {"format": "pt"}}
    put("safetensors.good-f32", tensors(both, f32))
    wide = {"bn.running_mean": {"dtype": "F64", "shape": [3], "data_offsets": [0, 24]},
            "fc.bias": {"dtype": "F32", "shape": [], "data_offsets": [24, 28]}}
    put("safetensors.good-f64", tensors(wide, struct.pack("<3d", 1, 2, 3) + b"\0\0\x80?"))
    put("safetensors.empty", tensors({}, b""))
    put("safetensors.outside", tensors({"fc.bias": {"dtype": "F32", "shape": [3], "data_offsets": [0, 1 << 40]}}, f32))
    put("safetensors.escape", tensors(b'{"a\\"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', f32))


def networks():
    for name in ("nn-2x256", "cnn-6-16-bn", "mlp-sinc-50x3", "mlp-fit-8x7", "dropout-net"):
        shutil.copyfile(f"{ROOT}/networks/{name}.yaml", f"{CORPUS}/network.good-{name}")
    put("network.good-blocks", b"""about: all there is
example: {input: [3, 8, 8], classes: 10}
names: kinds
initialization: normal
std: 2/3920
loss: kl-divergence
reduction: sum
layers:
  - {convolution: 4, kernel: 3, padding: 1, bias: false, name: stem, initialization: xavier-uniform}
  - {batch_norm: , epsilon: 1.0e-4, momentum: 0.2}
  - relu
  - times: 2
    layers:
      - block: body{}
        layers:
          - {convolution: 4, kernel: 3, stride: 1, padding: 1}
          - {batch_norm: , counts: false}
          - {add: block_input}
          - softplus
  - {max_pool: 2, stride: 2}
  - {average_pool: 2, padding: 1, name: mean}
  - {global_average_pool: , name: all}
  - {linear: 6, bias_initialization: zeros}
  - {repeat: 3, axis: 1}
  - {dropout: 0.3}
  - flatten
  - {linear: classes, name: last}
  - row_normalize
  - softmax
""")


def settings(record_config):
    put("settings.good-record", record_config)
    put("settings.good-few", b"network: cnn-6-16\ndataset: mnist\nepochs: 3\nlearning-rate: 1.0e-2\nseed: 7\n"
                             b"snapshots: \"epochs:0,1..20*2;steps:all;last:2\"\nrecord: \"weights:fc*,gradients,layer-outputs:conv*\"\n")
    put("settings.unknown", b"epoch: 3\n")


def studies():
    for name in ("function_fit", "isolated_layers", "batch_norm", "dropout_transfer", "lr_schedule"):
        shutil.copyfile(f"{ROOT}/experiments/{name}.yaml", f"{CORPUS}/study.good-{name}")
    put("study.anchors", b"study: a\nsettings: &s {epochs: 1}\ngrid: {depth: *s}\n")


def run(program, folder, *options):
    subprocess.run([program, *options], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def records(program, folder):
    with open(f"{folder}/net.yaml", "w", encoding="utf-8") as f:
        f.write("layers:\n  - linear: 2\n  - tanh\n  - linear: 1\n")
    run(program, folder, *FUNCTION, "--network=./net.yaml", "--snapshots=all", "--compress", "--out=run.h5",
        "--record=weights,gradients,gradient-stats,layer-outputs,distances")
    run(program, folder, *FUNCTION, "--network=./net.yaml", "--snapshots=epochs:0,2", "--out=few.h5", "--record=weights")
    run(program, folder, "analyze", "pca", "few.h5", "-o", "pca.h5")
    for name, to in (("run", "whole"), ("few", "few"), ("pca", "pca")):
        shutil.copyfile(f"{folder}/{name}.h5", f"{CORPUS}/record.good-{to}")
    run(program, folder, *FUNCTION, "--network=mlp-fit-8x7", "--out=fit.h5", "--record=weights")
    shutil.copyfile(f"{folder}/fit.h5.ckpt", f"{CORPUS}/checkpoint.good-done")
    shutil.copyfile(f"{folder}/few.h5.ckpt", f"{CORPUS}/checkpoint.other")
    with open(f"{folder}/few.h5", "rb") as f:
        put("record.cut", f.read()[:-5000])
    run(program, folder, "export", "few.h5", "-o", "tables")
    with open(f"{folder}/tables/config.yaml", "rb") as f:
        return f.read()


def edited():
    put("edited.good-none", b"\0")
    put("edited.good-result", b"\7")
    for what in range(10):  # one edit of each kind, see edits.c
        put(f"edited.kind{what}", bytes([0, what, 40 + what]) + bytes(range(3, 40)))
        for target in ("report", "figures", "results"):
            put(f"{target}.kind{what}", bytes([128, what, 40 + what]) + bytes(range(3, 40)))
    for target in ("report", "figures", "results"):
        put(f"{target}.good-none", b"\0")
        put(f"{target}.good-one", b"\x80")


def tar(*entries):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", bufsize=512) as archive:
        for name, kind, content in entries:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            if kind == tarfile.REGTYPE:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
            else:
                entry.linkname = content
                archive.addfile(entry)
    return stream.getvalue()


def packed(*entries):
    return gzip.compress(tar(*entries), mtime=0)


def zipped(method, *entries):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def archives():
    file, folder, link, hard = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
    honest = (("set", folder, ""), ("set/a.bin", file, b"a" * 40), ("set/b.bin", file, b"b" * 30), ("set/readme", file, b"hello"))
    put("archive.good-tar", tar(*honest))
    put("archive.good-gz", packed(*honest))
    put("archive.good-bz2", bz2.compress(tar(*honest)))
    put("archive.good-xz", lzma.compress(tar(*honest)))
    put("archive.good-zip", zipped(zipfile.ZIP_DEFLATED, ("set/a.bin", b"a" * 40), ("b.bin", b"b" * 30)))
    put("archive.good-stored", zipped(zipfile.ZIP_STORED, ("a.bin", b"a" * 40)))
    put("archive.up", tar(("../a.bin", file, b"out")))
    put("archive.absolute", packed(("/tmp/a.bin", file, b"out")))
    put("archive.zip-up", zipped(zipfile.ZIP_STORED, ("x/../../a.bin", b"out")))
    put("archive.link", packed(("a.bin", link, "/etc/passwd"), ("a.bin", file, b"through")))
    put("archive.hard", packed(("b.bin", file, b"b"), ("a.bin", hard, "b.bin")))
    put("archive.bomb", packed(("a.bin", file, bytes(1 << 20))))
    put("archive.zip-bomb", zipped(zipfile.ZIP_DEFLATED, ("readme", bytes(1 << 20))))
    put("archive.twice", packed(("a.bin", file, b"1"), ("x/a.bin", file, b"2")))
    put("archive.device", packed(("a.bin", tarfile.CHRTYPE, "")))


def words(program):
    """libFuzzer's dictionary: the keys and values that networks, settings and studies have."""
    text = subprocess.run([program, "--help"], check=True, capture_output=True, text=True).stdout
    options = set(re.findall(r"--([a-z][a-z-]+)", text)) | set(re.findall(r"[\[|]([a-z0-9-]+)(?=[|;\]])", text))
    for folder, name in (("networks", "README.md"), ("experiments", "README.md")):
        with open(f"{ROOT}/{folder}/{name}", encoding="utf-8") as f:
            options |= set(re.findall(r"`([a-z][a-z_-]+)[`:]", f.read()))
    for name in os.listdir(CORPUS):
        if name.startswith(("network.", "study.")):
            with open(f"{CORPUS}/{name}", encoding="utf-8") as f:
                options |= set(re.findall(r"^[ -]*{?([a-z_-]{3,}):", f.read(), re.MULTILINE))
    marks = [": ", r"\x0a  - ", r"\x0a    ", "{", "}", "[", "]", "{}", "..", "1..3*2", r"\"", r"|\x0a", "1.0e-3", "2147483648", "9223372036854775807", "-1"]
    with open(os.path.join(HERE, "yaml.dict"), "w", encoding="utf-8") as f:
        f.write("# made by make_corpus.py\n" + "".join(f'"{word}"\n' for word in sorted(options) + marks))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = os.path.abspath(sys.argv[1])
    for name in os.listdir(CORPUS):
        if name != "README.md":
            os.remove(os.path.join(CORPUS, name))
    idx()
    cifar()
    safetensors()
    networks()
    studies()
    archives()
    edited()
    with tempfile.TemporaryDirectory() as folder:
        settings(records(program, folder))
    words(program)


if __name__ == "__main__":
    main()
