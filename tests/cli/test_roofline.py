"""test_roofline.py PROGRAM: the table of floors from outside: sums, options, messages; that bench/roofline.md is what is printed now;
and the script of its section on kernels, with planted faults."""
import json
import os
import re
import subprocess
import sys

import program

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench")
sys.path.insert(0, BENCH)
import kernel_resources as kr  # noqa: E402  (from the folder of the benchmarks)

PTXAS = """ptxas info    : Compiling entry function 'rs_cu_k_gather' for 'sm_80'
ptxas info    : Function properties for rs_cu_k_gather
    0 bytes stack frame, {stores} bytes spill stores, 0 bytes spill loads
ptxas info    : Used 32 registers, used 1 barriers, 3072 bytes smem, 440 bytes cmem[0]
ptxas info    : Function properties for called
    0 bytes stack frame, 0 bytes spill stores, {loads} bytes spill loads
ptxas info    : Compiling entry function 'rs_cu_k_gather' for 'sm_90'
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 40 registers, 440 bytes cmem[0]
"""
TRAFFIC = "[ RUN ] x\ntraffic rs_cu_k_gather 524288 {moved} 4.7500\n[ OK ] x\n"


def roofline(p, *arguments, expect=0):
    path = os.path.join(os.path.dirname(p.path), "bench", "roofline")
    done = subprocess.run([path, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == expect, f"{arguments}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout if expect == 0 else done.stderr


def rows(text, heading):
    """The rows of the table behind a heading, by its headers."""
    lines = text.split("\n")
    begin = next((i for i in range(lines.index(heading), len(lines)) if lines[i].startswith("|")), None)
    assert begin, f"no table behind {heading}"
    end = next(i for i in range(begin, len(lines)) if not lines[i].startswith("|"))
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[begin:end]]
    return [dict(zip(table[0], line)) for line in table[2:]]


def number(cell):
    return 0.0 if cell == "-" else float(cell)


def test_sums(p):
    text = roofline(p)
    for precision in ("f32", "tf32"):
        totals = rows(text, f"### {precision}")
        assert len(totals) == 12 * 3
        for row in totals:
            shares = sum(number(cell) for header, cell in row.items() if header.endswith("%"))
            assert abs(shares - 100) < 0.6, row
            assert abs(number(row["images/s"]) * number(row["floor, ms"]) / 1024e3 - 1) < 2e-3, row
    first = rows(text, "### f32")[0]
    layers = rows(text, "## By layer: resnet18-plain on H100 SXM5 80GB")
    assert abs(sum(number(row["f32, µs"]) for row in layers) / 1e3 - number(first["floor, ms"])) < 0.01
    assert abs(sum(number(row["MB"]) for row in layers) / 1e3 - number(first["GB"])) < 0.01
    assert not any(row["layer"] == "conv1" and row["operation"] == "convolution, data" for row in layers)  # nobody wants it


def test_ceilings(p):
    """A convolution, checked by hand: 128 channels to 128, 3x3, maps of 8x8, batch of 1024: 19.3 GFLOP, 67.7 MB."""
    text = roofline(p, "--networks", "resnet18-plain", "--device", "a100")
    row = next(r for r in rows(text, "## By layer: resnet18-plain on A100 SXM4 80GB")
               if r["layer"] == "layer2.0.conv1" and r["operation"] == "convolution, forward")
    flops, size = 2 * 128 * 128 * 9 * 64 * 1024, 4 * (2 * 128 * 64 * 1024 + 128 * 128 * 9)
    assert row["GFLOP"] == f"{flops / 1e9:.3f}" and row["MB"] == f"{size / 1e6:.3f}", row
    assert row["f32, µs"] == f"{flops / 19.5e12 * 1e6:.2f}" and row["tf32, µs"] == f"{flops / 156e12 * 1e6:.2f}", row
    norm = next(r for r in rows(text, "## By layer: resnet18-plain on A100 SXM4 80GB")
                if r["layer"] == "layer2.0.bn1" and r["operation"] == "batch_norm + relu, forward")
    assert norm["f32, µs"] == f"{3 * 4 * 128 * 64 * 1024 / 2.039e12 * 1e6:.2f}", norm


def test_options(p):
    text = roofline(p, "--networks", "resnet50,resnet18", "--device", "rtx4090", "--precision", "tf32", "--batch-size", "64",
                    "--width", "standard")
    assert "### f32" not in text and "batch of 64, standard width" in text
    assert [(r["network"], r["GPU"]) for r in rows(text, "### tf32")] == [("resnet18", "rtx4090"), ("resnet50", "rtx4090")]
    assert "## By layer: resnet18 on GeForce RTX 4090" in text
    assert "usage: roofline" in roofline(p, "--help")


def test_messages(p):
    for arguments, parts in {
        ("--device", "h10"): ["--device h10: not one of h100, a100, rtx4090; nearest: h100"],
        ("--networks", "resnet18,resnet19"): ["resnet19: not one of resnet18-plain, resnet18,", "nearest: resnet18"],
        ("--networks", ","): ["names nothing; name one, as in --networks resnet18-plain"],
        ("--batch-size", "0"): ["--batch-size 0: must be a whole number from 1 to"],
        ("--batch-size", "64x"): ["--batch-size 64x: must be"],
        ("--precision", "f16"): ["--precision f16: not one of f32, tf32"],
        ("--width", "wide"): ["--width wide: not one of even, standard"],
        ("--batchsize", "64"): ["--batchsize: not one of --device,", "nearest: --batch-size"],
        ("--width",): ["--width needs a value"],
    }.items():
        message = roofline(p, *arguments, expect=2)
        assert all(part in message for part in parts) and message.count("\n") == 1, (arguments, message)


def test_file_is_what_is_printed(p):
    with open(os.path.join(BENCH, "roofline.md"), encoding="utf-8") as f:
        kept = f.read()
    cut = re.compile(f"{kr.BEGIN}.*{kr.END}", re.S)
    assert cut.sub("", kept) == cut.sub("", roofline(p)), "make it anew: bench/README.md says how"
    kernels = {row["kernel"]: row for row in rows(kept, kr.BEGIN)}
    assert list(kernels) == kr.listed_kernels(), "kernels have changed: python3 bench/kernel_resources.py BUILD"
    for name, row in kernels.items():
        assert row["spills"] == "0" and number(row["ratio"]) <= kr.MOST, row
        assert (row["ratio"] == "-") == (name in kr.SMALL), row


def test_kernels_are_judged(_):
    def judged(stores=0, loads=0, moved=4.8, kernels=("gather",)):
        return list(kr.problems(kernels, kr.parse_ptxas(PTXAS.format(stores=stores, loads=loads)),
                                kr.parse_traffic(TRAFFIC.format(moved=moved))))
    assert kr.parse_ptxas(PTXAS.format(stores=0, loads=0)) == {("gather", 80): (32, 0, 3072), ("gather", 90): (40, 0, 0)}
    assert kr.parse_traffic(TRAFFIC.format(moved=4.8)) == {"gather": (524288, 4.8, 4.75)}
    assert judged() == []
    assert judged(stores=8) == ["gather spills 8 bytes on sm_80"]
    assert judged(loads=4) == ["gather spills 4 bytes on sm_80"]  # of what it calls
    assert "1.105 times the least" in judged(moved=5.25)[0]
    assert any("is not counted" in line for line in judged(kernels=("gather", "adam")))
    assert any("adam is not compiled for sm_90" in line for line in judged(kernels=("gather", "adam")))
    assert list(kr.problems([], {}, {})) == ["ptxas named no kernel"]


def test_script(p):
    """The whole script with what others printed; a file without its place is left alone."""
    paths = {}
    for name, text in {"ptxas": PTXAS.format(stores=0, loads=0), "traffic": TRAFFIC.format(moved=4.8), "none": "nothing\n",
                       "place": f"a\n{kr.BEGIN}\nb\n{kr.END}\nc\n"}.items():
        paths[name] = p.file(name)
        with open(paths[name], "w", encoding="utf-8") as f:
            f.write(text)
    command = [sys.executable, "-B", os.path.join(BENCH, "kernel_resources.py"), p.dir]
    command += ["--ptxas", paths["ptxas"], "--traffic", paths["traffic"]]
    done = subprocess.run([*command, "-o", paths["place"]], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "adam is not compiled for sm_80" in done.stderr, done.stderr
    with open(paths["place"], encoding="utf-8") as f:
        text = f.read()
    assert text.startswith(f"a\n{kr.BEGIN}\n") and text.endswith(f"{kr.END}\nc\n") and "| gather | 32 | 40 | 0 | 0–3072 |" in text, text
    done = subprocess.run([*command, "-o", paths["none"]], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "has no place for the section" in done.stderr, done.stderr
    done = subprocess.run(command[:4], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "compile_commands.json is not there: build first" in done.stderr, done.stderr


def test_a_build_without_tests_is_refused_at_once(p):
    """Before anything is compiled."""
    compiled = p.file("compiled")
    with open(p.file("compile_commands.json"), "w", encoding="utf-8") as f:
        json.dump([{"directory": p.dir, "file": "src/kernels/cuda/loss.cu", "command": f"touch {compiled} -o x"}], f)
    done = subprocess.run([sys.executable, "-B", os.path.join(BENCH, "kernel_resources.py"), p.dir], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1 and "-DRS_CUDA=ON -DRS_TESTS=ON" in done.stderr and not os.path.exists(compiled), done.stderr


program.main([test_sums, test_ceilings, test_options, test_messages, test_file_is_what_is_printed, test_kernels_are_judged, test_script,
              test_a_build_without_tests_is_refused_at_once])
