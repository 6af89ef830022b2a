"""Who may include what: the hierarchy core <- {config, data, network} <- kernels <- train <- cli, and foreign headers.

Three rules. A public header (rs/...) belongs to a module, and a folder sees only the modules listed for it. An internal header is
included only from its own folder (the backends also see kernels/common, main.c sees cli, a unit test or fuzz target those of
the one folder it tests, tests of kernels those of kernels/cuda). A foreign library's header is included in one folder only, so that the library can be
replaced there; the stand-in for CUDA answers for the headers of CUDA.
"""
import os
import re

import tree

MODULE = {  # of each public header
    "status.h": "core", "host.h": "core", "files.h": "core", "tensor.h": "core", "random.h": "core", "metric.h": "core", "text.h": "core", "json.h": "core",
    "statistics.h": "core",
    "version.h": "core", "data_options.h": "core", "config.h": "config", "options.def": "config", "yaml.h": "yaml", "dataset.h": "data",
    "network.h": "network", "ops.def": "network", "backend.h": "kernels", "observer.h": "observe", "recorder.h": "record",
    "record_reader.h": "record", "snapshot_distances.h": "record", "result_file.h": "record", "safetensors.h": "record", "analyze.h": "analyze", "inspect.h": "inspect",
    "plot.h": "plot", "result_reader.h": "record",
    "checkpoint.h": "record", "trainer.h": "train", "check.h": "check", "step_cost.h": "kernels",
    "report.h": "report",
}
RUNNING = {"core", "config", "data", "network", "kernels", "observe", "record", "train"}
SEES = {  # folder: modules whose public headers it may include
    "src/host/core": {"core"},
    "src/host/config": {"core", "config", "yaml"},
    "src/host/data": {"core", "data"},
    "src/host/network": {"core", "network", "yaml"},
    "src/kernels": {"core", "data", "network", "kernels"},
    "src/host/observe": {"core", "network", "kernels", "observe", "record"},
    "src/host/record": {"core", "config", "network", "kernels", "observe", "record"},
    "src/host/train": RUNNING,
    "src/host/check": {"core", "data", "network", "kernels", "check"},
    "src/host/study": {"core", "config", "record", "yaml", "train"},
    "src/host/analyze": RUNNING | {"analyze"},
    "src/host/inspect": {"core", "config", "record", "observe", "inspect"},
    "src/host/plot": {"core", "config", "data", "record", "network", "observe", "kernels", "plot"},
    "src/host/report": {"core", "config", "yaml", "observe", "record", "plot", "report"},
    "src/host/cli": RUNNING | {"check", "analyze", "inspect", "plot", "report"},
    "src/host": RUNNING | {"check", "analyze", "inspect", "plot", "report"},
}
INTERNAL = {"src/kernels": ["src/kernels/common"], "src/host": ["src/host"]}  # beside the folder itself
FOREIGN = [  # pattern of a foreign header, the folder it belongs to
    (r"hdf5(_hl)?\.h|H5\w+\.h", "src/host/record"),
    (r"(oneapi/dnnl/)?dnnl\w*\.h|cblas\.h|openblas\w*\.h", "src/kernels/cpu"),
    (r"cud\w+\.h|cublas\w*\.h|nccl\.h", "src/kernels/cuda"),
    (r"yaml\.h", "src/host/config"),
    (r"curl/.*|archive\w*\.h|openssl/.*", "src/host/data"),
    (r"Random123/.*", "src/host/core"),
]
STANDIN = "tests/cuda_emulation"  # also takes CUDA's headers, and for its tests of kernels the launchers
LAUNCHERS = "src/kernels/cuda/kernels.h"
DRAWS = "src/kernels/common/dropout.h"  # Philox on CPU and GPU: by the one header
INCLUDE = re.compile(r'\s*#\s*include\s+(["<])([^">]+)[">]')


def owner(path, table):
    """The entry of a table of folders that a file falls under: the longest that fits."""
    folder = os.path.dirname(path)
    while folder:
        if folder in table:
            return folder
        folder = os.path.dirname(folder)
    return None


def check_public(path, header):
    name = header.removeprefix("rs/")
    if name not in MODULE:
        return f"{header} is not in the table of public headers (tests/lint/includes.py)"
    if path.startswith("include/rs/"):
        own = MODULE.get(os.path.basename(path))
        folder = next((f for f in SEES if f.split("/")[-1] == own), None)
    else:
        folder = owner(path, SEES)
    if folder and MODULE[name] not in SEES[folder]:
        return f"{folder} must not see {header}, which belongs to {MODULE[name]}"
    return None


def check_internal(root, path, header):
    folder = os.path.dirname(path)
    places = [folder] + INTERNAL.get(owner(path, SEES) or "", [])
    if any(os.path.exists(os.path.join(root, p, header)) for p in places):
        return None
    return f'"{header}" is no header of this folder; use what include/rs offers'


def check_foreign(path, header):
    if path == DRAWS and header == "Random123/philox.h":
        return None
    for pattern, home in FOREIGN:
        if home == os.path.dirname(LAUNCHERS) and path.startswith(STANDIN + "/"):
            continue
        if re.fullmatch(pattern, header) and os.path.dirname(path) != home and not path.startswith(home + "/"):
            return f"<{header}> belongs to {home} alone"
    return None


def folders_with(root, header):
    """Folders of src that have a header of that name."""
    return {os.path.dirname(f) for f in tree.files(root, ("/" + os.path.basename(header),), ("src",))}


def check_test(root, path, headers):
    """Tests see include/rs, the harness, their own folder (those of the stand-in also its top); unit tests and fuzz
    targets also the internal headers of one folder."""
    tested = None
    for line, header in headers:
        folders = [os.path.dirname(path), "tests/harness"]
        if path.startswith(STANDIN + "/"):
            folders += [STANDIN, os.path.dirname(LAUNCHERS)] if header == os.path.basename(LAUNCHERS) else [STANDIN]
        if any(os.path.exists(os.path.join(root, folder, header)) for folder in folders):
            continue
        if not path.startswith(("tests/unit/", "tests/fuzz/")):
            yield path, line, f'"{header}": a test may include no internal header'
            continue
        folders = folders_with(root, header)
        tested = folders if tested is None else tested & folders
        if not tested:
            yield path, line, f'"{header}": a unit test may include the internal headers of one folder'


def check(root):
    for path in tree.files(root, (".c", ".h"), ("include", "src", "tests", "bench")):
        internal = []
        for number, line in enumerate(tree.lines(root, path), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            kind, header = match.groups()
            fault = None
            if header.startswith("rs/"):
                fault = check_public(path, header)
            elif kind == "<":
                fault = check_foreign(path, header)
            elif path.startswith("src/"):
                fault = check_internal(root, path, header)
            else:
                internal.append((number, header))
            if fault:
                yield path, number, fault
        yield from check_test(root, path, internal)


if __name__ == "__main__":
    tree.main(check, "include hierarchy")
