"""Each call of CUDA, cuDNN and cuBLAS fails in turn, alone and with all after it; each allocation too. The program ends with a
line and exit status 1, or goes on where it may, to the same record or with a warning; it never hangs, crashes or leaks, and what it
has recorded is whole.

usage: failures.py PROGRAM STANDIN [RUNS [FROM/OF]]: at most RUNS, evenly over all calls (default and 0: each call); of those the
FROM-th of OF equal parts, as in 2/4. Every allocation, the first copies, and the first and last call
of each function come in any case."""
import os
import re
import subprocess
import sys

from emulated import Emulated, stats

# Every kind of operator that a study has, each small: a run takes a second. Batches of two sizes; layers with losses of their own.
NETWORK = """
layers:
  - {convolution: 8, kernel: 3, padding: 1, bias: false}
  - batch_norm
  - relu
  - {max_pool: 3, stride: 2, padding: 1}
  - times: 2
    layers:
      - block: body{}
        layers:
          - {convolution: 8, kernel: 3, padding: 1, bias: false}
          - batch_norm
          - relu
          - {convolution: 8, kernel: 3, padding: 1, bias: false}
          - batch_norm
          - {add: block_input}
          - relu
  - block: narrower
    layers:
      - {convolution: 8, kernel: 1, stride: 2, name: shortcut}
      - {convolution: 8, kernel: 3, stride: 2, padding: 1, input: body1}
      - {add: shortcut}
      - tanh
  - {average_pool: 2}
  - {linear: 12}
  - {dropout: 0.25}
  - sigmoid
  - row_normalize
  - {linear: classes}
"""
TRAIN = ["--network", "every.yaml", "--dataset", "shapes", "--train-limit", "17", "--test-limit", "5", "--batch-size", "4",
         "--epochs", "1", "--commit-every", "0", "--layer-loss", "even", "--clip-norm", "1", "--threads", "1", "--device", "cuda",
         "--record", "weights,gradients,distances,gradient-stats,layer-outputs,layer-losses", "--quiet"]
OFTEN = {"cudaMalloc": sys.maxsize, "cudaHostAlloc": sys.maxsize, "cudaMemcpyAsync": 12}  # so many of their first calls
# What releases is not checked: there is nothing left to do about it. The last error is asked for after a failure.
NEVER = re.compile(r"cuda(Free|GetLastError|.*Destroy)|(cudnn|cublas)Destroy")


def plans(program, most):
    """RS_EMU_FAIL's values: every allocation, the first copies, the first and last call of each function, a sample of N and N+."""
    path = program.file("stats")
    program.good(*TRAIN, "--out", "whole.h5", RS_EMU_STATS=path)
    calls, _, fallible = stats(path)
    step = max(1.0, 2 * fallible / most)
    numbers = sorted({1 + int(i * step) for i in range(int(fallible / step))})
    named = [f"{name}:{n}" for name, count in calls.items() if not NEVER.match(name)
             for n in sorted({*range(1, 1 + min(count, OFTEN.get(name, 1))), count})]
    print(f"{fallible} calls may fail: {2 * len(numbers)} runs and {len(named)} by name", flush=True)
    return named + [f"{n}{sign}" for n in numbers for sign in ("", "+")]


def fault_of(program, plan):
    """What is wrong with how the program takes a planned failure, or None."""
    record = program.file("record.h5")
    for path in (record, record + ".ckpt"):
        if os.path.exists(path):
            os.remove(path)
    done = program.run(*TRAIN, "--out", record, timeout=300, RS_EMU_FAIL=plan)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("cuda stand-in:")]
    if done.returncode not in (0, 1):
        return f"exit status {done.returncode}, not 1: {done.stderr[-1500:]}"
    if "fails as planned" not in done.stderr:
        return "nothing failed: runs differ"
    if done.returncode and len(lines) != 1:
        return f"{len(lines)} lines instead of one: {done.stderr[-1500:]}"
    if os.path.exists(record):
        verified = program.run("verify", record, standin=False)
        if verified.returncode:
            return f"the record is not whole: {verified.stdout}{verified.stderr}"
    if done.returncode == 0 and not lines:
        same = program.run("verify", "--same", program.file("whole.h5"), record, standin=False)
        if same.returncode:
            return f"it went on without a word, to another record: {same.stdout}{same.stderr}"
    return None


def share(values, text):
    """The FROM-th of OF equal parts."""
    part, parts = (int(number) for number in text.split("/"))
    if not 1 <= part <= parts:
        sys.exit(__doc__)
    return values[len(values) * (part - 1) // parts:len(values) * part // parts]


def main():
    faults, given = 0, sys.argv[3:]
    most, part = given + ["0", "1/1"][len(given):]
    with Emulated() as program:
        with open(program.file("every.yaml"), "w", encoding="utf-8") as file:
            file.write(NETWORK)
        for plan in share(plans(program, int(most) or sys.maxsize), part):
            try:
                fault = fault_of(program, plan)
            except subprocess.TimeoutExpired as late:
                fault = f"hangs: {late}"
            if fault:
                faults += 1
                print(f"RS_EMU_FAIL={plan}: {fault}", flush=True)
    print(f"{faults} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
