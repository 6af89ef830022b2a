"""test_gpu_script.py PROGRAM: what scripts/build.sh lets through; bench/gpu.sh with a stand-in for the program: what it stops for,
what goes into its report, and that nothing is left behind. Needs neither a GPU nor PyTorch; nothing is built."""
import glob
import os
import re
import signal
import subprocess
import time

import program

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "gpu.sh")
USABLE = "NVIDIA Something, sm_90; 80.0 GiB free; CUDA 13.0"
# Speaks as the program does; --profile prints 360 KB or, told so, 2 MB.
STAND_IN = """#!/bin/sh
case "$*" in
devices) echo 'cpu    Something'; echo 'cuda   {cuda}' ;;
*--profile*) echo "first line of it"; yes 'a line of a profile' | head -c {bytes}; echo; echo "last line of it" ;;
*60*) {long} ;;
esac
"""


def stand_in(p, cuda=USABLE, size=30000, long="exit 1"):
    """A folder as that of a build."""
    path = p.file("build/resnet_study")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(STAND_IN.format(cuda=cuda, bytes=size, long=long))
    os.chmod(path, 0o755)
    return os.path.dirname(path)


def start(p, *arguments, cuda=USABLE, size=30000, long="exit 1"):
    folder = stand_in(p, cuda, size, long)
    os.makedirs(p.file("tmp"), exist_ok=True)
    env = {**p.env, "TMPDIR": p.file("tmp"), "PATH": "/usr/bin:/bin"}
    no_venv = os.path.join(folder, "resnet_study")  # a file: no environment can be made of it
    return subprocess.Popen(["bash", SCRIPT, "--build", folder, "--venv", no_venv, "--report", p.file("r.md"), *arguments], env=env,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(p, *arguments, expect=1, **how):
    """(what it said, the report or None); it always tidies up."""
    process = start(p, *arguments, **how)
    _, said = process.communicate(timeout=120)
    assert process.returncode == expect, (process.returncode, said)
    assert os.listdir(p.file("tmp")) == [], "left behind"
    if not os.path.exists(p.file("r.md")):
        return said, None
    with open(p.file("r.md"), encoding="utf-8") as f:
        return said, f.read()


def test_without_a_gpu_it_stops(p):
    for cuda, device, words in (("not usable: no driver", "cuda", "cuda is not usable: no driver"),
                                (USABLE, "cuda:1", "there is no cuda:1")):
        said, report = run(p, "--device", device, cuda=cuda)
        assert words in said and "PyTorch was fetched" in said and len(said.splitlines()) == 1 and report is None, said
    said, report = run(p, "--device", "gpu", expect=2)
    assert "not one of cuda, cuda:N" in said and report is None, said


def test_the_report_is_whole(p):
    """Every depth and both precisions keep heading and last line, though together they are 360 KB; of 2 MB the middle goes."""
    _, report = run(p)
    assert re.findall(r"^ResNet-(\d+), (\w+),", report, re.M) == [(d, k) for k in ("f32", "tf32") for d in "18 26 34 50 68 101".split()]
    assert report.count("first line of it") == report.count("last line of it") == 12 and "left out" not in report
    os.remove(p.file("r.md"))
    _, report = run(p, "--quick", size=2000000)
    assert "ResNet-18, f32" in report and "last line of it" in report and "bytes are left out here" in report and len(report) < 1100000


def test_what_did_not_run_did_not_pass(p):
    said, report = run(p, "--quick")
    for title in ("Memory and race checks", "Twenty steps beside the CPU's", "Training step beside PyTorch's, f32"):
        assert re.search(rf"^## {title}\n\n`[^\n]*`: not run after", report, re.M), report[-2000:]
    assert re.search(r"^## PyTorch\n\n`[^\n]*`: exit status 1 ", report, re.M), report
    failed = len(re.findall(r"`: exit status [1-9]", report))
    assert f"{failed} sections failed, 4 were not run" in said and "issue of the project" in said, said


def test_a_report_stays(p):
    _, first = run(p, "--quick")
    _, again = run(p, "--quick", size=40000)
    assert first == again and os.path.exists(p.file("r-2.md")) and len(glob.glob(p.file("r*.md"))) == 2


def test_signals_leave_nothing(p):
    """Neither the folder nor what a section has begun, whoever gets the signal."""
    for number in (signal.SIGTERM, signal.SIGINT):
        process = start(p, long=f"echo $$ >{p.file('pid')}; sleep 300")
        for _ in range(600):
            if os.path.exists(p.file("pid")) and os.path.getsize(p.file("pid")):
                break
            time.sleep(0.1)
        with open(p.file("pid"), encoding="utf-8") as f:
            child = int(f.read())
        os.kill(process.pid, number)
        process.communicate(timeout=60)
        assert process.returncode == 128 + number, process.returncode
        assert os.listdir(p.file("tmp")) == [], "left behind"
        assert not os.path.exists(f"/proc/{child}"), "a section goes on"
        os.remove(p.file("pid"))


def test_the_build_says_what_becomes_of_the_module(p):
    """One line of all that CMake prints, and nothing of what the compiler prints, unless it fails."""
    os.makedirs(p.file("bin"))
    for code, words in ((0, ["build.sh: CUDA module: not built, why"]), (1, ["build.sh: CUDA module: not built, why", "compiling"])):
        with open(p.file("bin/cmake"), "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n[ \"$1\" = --build ] && { echo compiling; exit " + str(code) + "; }\n"
                    "echo '-- CUDA module: sm_10: left out'\necho '-- CUDA module: not built, why'\necho '-- Done'\n")
        os.chmod(p.file("bin/cmake"), 0o755)
        build = os.path.join(os.path.dirname(SCRIPT), "..", "scripts", "build.sh")
        done = subprocess.run(["sh", build, "release"], env={**p.env, "PATH": p.file("bin") + ":/usr/bin:/bin"}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        lines = done.stdout.splitlines()
        assert done.returncode == code and lines[1:1 + len(words)] == words and len(lines) == 1 + len(words) + code, done.stdout


program.main([
    test_the_build_says_what_becomes_of_the_module,
    test_without_a_gpu_it_stops,
    test_the_report_is_whole,
    test_what_did_not_run_did_not_pass,
    test_a_report_stays,
    test_signals_leave_nothing,
])
