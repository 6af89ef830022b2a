"""On a machine that lacks something, `devices` and `--device cuda` say what, in one line; --device auto takes the CPU.

usage: machines.py PROGRAM STANDIN"""
import os
import re
import shutil
import subprocess

from emulated import SMALL, main, stats

TRAIN = [*SMALL, "--epochs", "1", "--train-limit", "8", "--test-limit", "8", "--snapshots", "none", "--quiet"]
AUTO = ["auto" if a == "cuda" else a for a in TRAIN]
TAKEN = {"RS_EMU_FAIL": "cudnnCreate:1"}  # a GPU that is there, but cannot be opened
ROOM = (30, 33, 36, 40)  # MiB of memory, about what such a plan needs
MACHINES = {  # what is said: the machine
    "no NVIDIA driver": {"RS_EMU_NO_DRIVER": "1"},
    "the NVIDIA driver knows CUDA 11.4": {"RS_EMU_DRIVER": "11040"},
    "finds no GPU": {"RS_EMU_NO_DEVICE": "1"},
    "cuDNN 8.9": {"RS_EMU_CUDNN_VERSION": "8907"},
    "made for CUDA 14": {"RS_EMU_CUDNN_CUDA": "14000"},
}


def refused(done, words):
    """One line on stderr with those words, and exit status 1."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("cuda stand-in:")]
    assert done.returncode == 1, f"exit status {done.returncode}, not 1: {done.stderr}"
    assert len(lines) == 1 and words in lines[0], f"not one line with {words!r}: {done.stderr}"


def cuda_line(text):
    found = [line for line in text.splitlines() if line.split(":")[0].split()[:1] == ["cuda"]]
    assert len(found) == 1, f"not one line about cuda:\n{text}"
    return found[0]


def test_every_machine(program):
    for words, machine in MACHINES.items():
        assert words in cuda_line(program.good("devices", **machine).stdout), words
        refused(program.run(*TRAIN, "--out", "a.h5", **machine), words)
        assert not os.path.exists(program.file("a.h5")), f"{words}: a record was begun"


def test_auto_takes_the_cpu(program):
    """Without a word where there is no driver; with the reason in a warning where there is one."""
    for words, machine in MACHINES.items():
        done = program.good(*AUTO[:-1], "--overwrite", "--out", "a.h5", **machine)
        warnings = [line for line in done.stderr.splitlines() if "warning" in line]
        expected = [] if words == "no NVIDIA driver" else [words]
        assert len(warnings) == len(expected) and all(word in line for word, line in zip(expected, warnings)), done.stderr
        refused(program.run(*AUTO, "--precision", "tf32", "--overwrite", "--out", "a.h5", **machine), words)


def test_auto_without_the_module(program):
    """A driver's library is enough of a sign that a GPU is there."""
    alone, folder = program.file("resnet_study"), program.file("driver")
    shutil.copy(program.path, alone)
    os.mkdir(folder)
    os.symlink(program.standin, os.path.join(folder, "libcuda.so.1"))
    done = program.good(*AUTO[:-1], "--out", "a.h5", program=alone, standin=False, LD_LIBRARY_PATH=folder)
    assert "takes the CPU, although there is an NVIDIA driver" in done.stderr and "cuda module" in done.stderr, done.stderr


def test_a_gpu_has_no_threads(program):
    done = program.good(*TRAIN[:-1], "--out", "a.h5")
    assert "thread" not in cuda_line(program.good("devices").stdout) + done.stdout + done.stderr, done.stderr


def test_a_gpus_record_on_the_cpu(program):
    program.good(*TRAIN, "--out", "a.h5")
    done = program.good(*TRAIN[:-1], "--device", "cpu", "--epochs", "2", "--resume", "--out", "a.h5")
    assert re.search(r"another device \(stand-in for a GPU \(0\), sm_80, now .*\), libraries;", done.stderr), done.stderr


def test_words_of_a_gpu(program):
    """What the GPU path refuses says what does work."""
    for words, options in {"auto, direct or search": ["--convolution", "winograd"]}.items():
        refused(program.run(*TRAIN, *options, "--out", "a.h5"), words)
    for name in ("gpu", "GPU:0"):
        done = program.run(*TRAIN, "--device", name, standin=False)
        assert done.returncode == 2 and done.stderr.rstrip().endswith("nearest cuda"), done.stderr


def test_variables_mean_something(program):
    for name in ("RS_CUDA_GRAPH", "RS_CUDA_SYNC"):
        done = program.run(*TRAIN, "--out", "a.h5", **{name: "no"})
        assert done.returncode == 2 and "0 or 1 is wanted" in done.stderr, done.stderr
    for variables, words in (({"RS_EMU_ORDER": "foo"}, "default, reverse or a whole number"), ({"RS_EMU_FIAL": "1"}, "RS_EMU_FIAL is no"),
                             ({"RS_EMU_RACES": "yes"}, "0 or 1 is wanted")):
        done = program.run("devices", **variables)
        assert done.returncode == -6 and words in done.stderr, done.stderr


def test_auto_takes_the_cpu_when_the_gpu_is_taken(program):
    done = program.good(*AUTO[:-1], "--out", "a.h5", **TAKEN)
    assert "training on the CPU" in done.stderr, done.stderr
    assert "stand-in" not in program.good("info", "a.h5", standin=False).stdout
    refused(program.run(*TRAIN, "--out", "b.h5", **TAKEN), "cudnnCreate")


def test_a_gpus_record_stays_with_it(program):
    more = ["--epochs", "2", "--resume"]
    program.good(*AUTO, "--out", "gpu.h5")
    for machine in (TAKEN, {"RS_EMU_NO_DRIVER": "1"}):
        refused(program.run(*AUTO, *more, "--out", "gpu.h5", **machine), "only --device cpu resumes it here")
    program.good(*AUTO, *more, "--device", "cpu", "--out", "gpu.h5")


def test_a_cpus_record_stays_with_it(program):
    more = ["--epochs", "2", "--resume"]
    program.good(*AUTO, "--out", "cpu.h5", **TAKEN)
    done = program.good(*AUTO[:-1], *more, "--out", "cpu.h5")
    assert "was made on the CPU and goes on there" in done.stderr, done.stderr
    assert "stand-in" not in done.stdout + program.good("info", "cpu.h5", standin=False).stdout


def test_half_a_cudnn(program):
    """A part that is there and cannot be loaded: cuDNN itself would end the program when it needs it."""
    module = os.path.join(os.path.dirname(program.path), "resnet_study_cuda.so")
    listed = subprocess.run(["ldd", module], capture_output=True, text=True, check=True).stdout
    library = re.search(r"libcudnn\.so\.\d+ => (\S+)", listed)[1]
    folder = program.file("cudnn")
    os.mkdir(folder)
    for name in os.listdir(os.path.dirname(library)):
        if name.startswith("libcudnn"):
            os.symlink(os.path.join(os.path.dirname(library), name), os.path.join(folder, name))
    assert "stand-in for a GPU" in cuda_line(program.good("devices", LD_LIBRARY_PATH=folder).stdout)
    part = os.path.join(folder, os.path.basename(library).replace("cudnn", "cudnn_cnn"))
    os.remove(part)
    with open(part, "w", encoding="utf-8"):
        pass
    line = cuda_line(program.good("devices", LD_LIBRARY_PATH=folder).stdout)
    assert "cuDNN is not whole" in line, line


def test_a_gpu_is_found(program):
    line = cuda_line(program.good("devices").stdout)
    assert "stand-in for a GPU (0)" in line, line


def test_every_gpu_is_found(program):
    lines = program.good("devices", RS_EMU_DEVICES="3").stdout.splitlines()
    found = [line.split()[0] for line in lines if "stand-in for a GPU" in line]
    assert found == ["cuda", "cuda:1", "cuda:2"], lines


def test_numbers_of_devices(program):
    second = [*TRAIN[:-1], "--device", "cuda:1", "--quiet", "--out"]
    refused(program.run(*second, "a.h5"), "there is no GPU 1")
    program.good(*second, "a.h5", RS_EMU_DEVICES="2")
    refused(program.run(*second, "b.h5", RS_EMU_DEVICES="2", RS_EMU_FAIL="cudaSetDevice:1"), "taking GPU 1")


def test_without_the_module(program):
    alone = program.file("resnet_study")
    shutil.copy(program.path, alone)
    done = program.run("devices", program=alone, standin=False)
    assert "the cuda module belongs beside the program" in cuda_line(done.stdout), done.stdout


def test_without_the_standin(program):
    """This machine as it is: with a GPU or without, `devices` works and names either."""
    cuda_line(program.good("devices", standin=False).stdout)


def test_too_little_memory(program):
    refused(program.run(*TRAIN, "--out", "a.h5", RS_EMU_MEMORY=str(20 << 20)), "memory")


def test_room_for_what_is_loaded_later(program):
    """Whatever the memory, a plan that is made also runs: one that only just fits is refused, with advice."""
    refusals = 0
    for mib in ROOM:
        done = program.run(*TRAIN, "--overwrite", "--out", "a.h5", RS_EMU_MEMORY=str(mib << 20), RS_EMU_LOADS=str(8 << 20))
        refusals += done.returncode != 0
        if done.returncode:
            refused(done, "use a smaller --batch-size")
    assert 0 < refusals < len(ROOM), f"{refusals} of {len(ROOM)} refused: other sizes are wanted here"


def test_no_memory_for_kernels(program):
    """One line that names memory, whether little of it is free or their number of bytes is absurd."""
    for memory, loads in ((50 << 20, 30 << 20), (8 << 30, 9 << 30)):
        done = program.run(*TRAIN[:-1], "--out", "a.h5", RS_EMU_MEMORY=str(memory), RS_EMU_LOADS=str(loads))
        refused(done, "want of memory to load them")


def test_another_algorithm_is_told(program):
    """One warning that names both, when the plan is made."""
    done = program.good(*TRAIN[:-1], "--out", "a.h5", RS_EMU_FAIL="cudnnConvolutionForward:1")
    told = [line for line in done.stderr.splitlines() if "cuDNN fails to run" in line]
    assert len(told) == 1, done.stderr
    refused_one, taken = re.search(r"fails to run (\w+) for forward of 4: .*: (\w+) is taken", told[0]).groups()
    assert refused_one != taken, told


def test_images_that_stay_outside_are_told(program):
    """Each split takes two allocations, images and labels; they are the last four."""
    program.good(*TRAIN, "--out", "a.h5", RS_EMU_STATS=program.file("stats"))
    first = stats(program.file("stats"))[0]["cudaMalloc"] - 3
    done = program.good(*TRAIN[:-1], "--out", "b.h5", RS_EMU_FAIL=f"cudaMalloc:{first}")
    assert "images go to the device batch by batch: GPU 0 has no memory for the images of a split" in done.stderr, done.stderr


def test_a_full_gpu_says_so(program):
    refused(program.run(*TRAIN, "--out", "a.h5", RS_EMU_MEMORY=str(100 << 20), RS_EMU_FAIL="cublasCreate_v2:1"),
            "of the GPU's memory are free")


def test_overrides_are_named(program):
    """What changes bits behind the program's back is in the text that the record keeps."""
    line = cuda_line(program.good("devices", NVIDIA_TF32_OVERRIDE="0").stdout)
    assert "NVIDIA_TF32_OVERRIDE=0" in line, line


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")])
