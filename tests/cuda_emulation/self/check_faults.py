"""Every planted fault is caught, with the words that say what it is, and its right twin passes.

usage: check_faults.py PROGRAM STANDIN KERNELS [CASE ...]

A case runs as a process of its own under the stand-in. What must be stopped is run in three orders of threads and with three
seeds; so are the right ones, which must pass in all of them without a word about leaks or races.
"""
import os
import re
import subprocess
import sys

ABORTED, WRONG, LEAKED = -6, 1, 86
ORDERS = ("default", "reverse", "5")
SEEDS = ("0", "1", "7")

STOPS = {  # case: what the stand-in says before it ends the program
    "kernel_host_pointer": r"a kernel reads 4 bytes at 0x\w+, host memory .*while planted_double ran: block \(\d+, ?0, ?0\)",
    "kernel_pinned_pointer": r"a kernel reads .* pinned memory",
    "kernel_unwritten": r"a kernel reads 4 bytes that nobody has written: .* device memory",
    "kernel_poison": r"a kernel reads 4 bytes that nobody has written: .* device memory",
    "kernel_past_end": r"a kernel writes 4 bytes at .* 0 bytes past the end of device memory",
    "kernel_after_free": r"a kernel reads .* freed device memory",
    "shared_race": r"a race in shared memory|shared memory is read that no thread",
    "warp_race": r"a race in shared memory",
    "device_turn_race": r"a race in device memory, .* a thread (reads|writes) what thread \d+ of the block touched",
    "device_blocks_race": r"a race in device memory, .* writes what thread 0 of another block touched",
    "kernel_misaligned": r"planted.cuh:\d+: an address that is not aligned to 16 bytes",
    "shared_unwritten": r"shared memory is read that no thread of the block has written",
    "shared_outside": r"shared memory is written outside of every array",
    "shared_too_much": r"a block has at most 49152 bytes of shared memory",
    "barrier_half": r"after \d+ threads of the block have ended|can never go on: \d+ threads at a barrier",
    "barrier_two": r"threads of a block are at two barriers",
    "shuffle_outside_mask": r"lane \d+ is not in the mask 0000ffff",
    "shuffle_ended": r"names lanes \w+ that have ended|a thread ended that an exchange of its warp waits for",
    "launch_unlisted": r"planted_unlisted has no CPU build",
    "host_reads_device": r"host code touches .* byte 12 of device memory",
    "host_writes_device": r"host code touches .* device memory",
    "host_reads_freed": r"host code touches .* freed device memory",
    "host_reads_freed_pinned": r"host code touches .* freed pinned memory",
    "host_past_pinned": r"host code touches .* 0 bytes past the end of pinned memory",
    "past_end_unwatched": r"something wrote \d+ bytes past the end",
    "host_function_calls": r"a host function on a stream must not call CUDA",
    "event_missing": r"nobody has written",
    "memset_missed": r"nobody has written",
    "pinned_freed_early": r"pinned memory is freed while work that uses it waits",
    "graph_not_run": r"nobody has written",
    "graph_after_free": r"freed device memory",
    "workspace_lie": r"cudnnConvolutionForward: 1048580 bytes from .* device memory",
    "convolution_host_pointer": r"cudnnConvolutionForward: .* host memory",
    "convolution_unwritten": r"cudnnConvolutionForward: reads what nobody has written",
    "convolution_short": r"cudnnConvolutionForward: 2520 bytes from",
    "convolution_overlap": r"output or workspace overlaps",
    "workspace_read": r"nobody has written",
    "search_output_read": r"nobody has written",
    "product_host_pointer": r"cuBLAS: A: .* host memory",
    "product_past_end": r"cuBLAS: B",
    "products_past_end": r"cuBLAS: A",
    "products_overlap": r"products write over each other",
    "product_unwritten": r"a matrix product: A: reads what nobody has written",
}
SHOWS = {  # case: exit status and words of what is no reason to stop at once
    "read_early": (WRONG, ""),
    "source_changed": (WRONG, ""),
    "leaks_memory": (LEAKED, r"1 not released:\n.*device memory: allocation 1, 400 bytes"),
    "leaks_handles": (LEAKED, r"2 not released"),
    "leaks_descriptor": (LEAKED, r"1 not released:\n.*cuDNN tensor descriptor"),
}
NEEDS = {  # case: its environment
    "device_turn_good": {"RS_EMU_RACES": "1"},
    "device_turn_race": {"RS_EMU_RACES": "1"},
    "device_blocks_good": {"RS_EMU_RACES": "1"},
    "device_blocks_race": {"RS_EMU_RACES": "1"},
    "memory_limit_good": {"RS_EMU_MEMORY": "1000000"},
    "second_malloc_fails_good": {"RS_EMU_FAIL": "cudaMalloc:2"},
    "device_is_lost_good": {"RS_EMU_FAIL": "4+"},
    "no_device_good": {"RS_EMU_NO_DEVICE": "1"},
    "no_driver_good": {"RS_EMU_NO_DRIVER": "1"},
    "old_driver_good": {"RS_EMU_DRIVER": "11040"},
    "two_devices_good": {"RS_EMU_DEVICES": "2"},
    "version_old_good": {"RS_EMU_CUDNN_VERSION": "80900"},
    "kernels_loaded_good": {"RS_EMU_MEMORY": "10000000", "RS_EMU_LOADS": "1000000000"},
    "made_for_other_good": {"RS_EMU_CUDNN_CUDA": "14000"},
}
# A seed may by luck run what nobody ordered in the right order: these need only be caught with some seed.
BY_LUCK = {"read_early", "source_changed", "event_missing", "memset_missed"}


class Runner:
    def __init__(self, program, preload):
        self.program, self.preload = program, preload

    def run(self, case, order="default", seed="0"):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RS_EMU_")}
        environment.update(LD_PRELOAD=self.preload, RS_EMU_ORDER=order, RS_EMU_SEED=seed, OMP_WAIT_POLICY="passive")
        environment.update(NEEDS.get(case, {}))
        command = [self.program] + ([case] if case else [])
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def fault_of(case, result):
    """Why a result is not what the case should give, or None."""
    if case in STOPS:
        wanted, words = ABORTED, STOPS[case]
    else:
        wanted, words = SHOWS.get(case, (0, ""))
    if result.returncode != wanted:
        return f"ends with {result.returncode}, not {wanted}: {result.stderr.strip()[-400:]}"
    if not re.search(words, result.stderr):
        return f"does not say /{words}/: {result.stderr.strip()[-400:]}"
    return None


def check_case(runner, case):
    faults = {}
    for order in ORDERS:
        for seed in SEEDS if order == "default" else SEEDS[:1]:
            fault = fault_of(case, runner.run(case, order, seed))
            if fault:
                faults[(order, seed)] = fault
    if case in BY_LUCK and ("default", "0") not in faults:
        return []
    return [f"{case} (order {o}, seed {s}): {text}" for (o, s), text in faults.items()]


def check_orders(runner):
    winners = {order: runner.run("order_matters", order).stdout.strip() for order in ORDERS}
    return [] if len(set(winners.values())) == len(ORDERS) else [f"the orders of threads do not differ: {winners}"]


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    runner = Runner(sys.argv[1], f"{sys.argv[2]}:{sys.argv[3]}")
    known = runner.run("").stdout.split()
    faults = [f"{case} is in the table, not in the program" for case in [*STOPS, *SHOWS, *NEEDS] if case not in known]
    faults += [f"{case} is in no table and not called good" for case in known
               if case not in STOPS and case not in SHOWS and not case.endswith("_good") and case != "order_matters"]
    cases = sys.argv[4:] or known
    for case in cases:
        found = check_case(runner, case)
        print(f"{'FAULT' if found else 'ok':5} {case}", flush=True)
        faults += found
    faults += check_orders(runner)
    for text in faults:
        print(text)
    print(f"{len(cases)} cases, {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
