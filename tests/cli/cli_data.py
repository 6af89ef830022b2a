"""cli_data.py PROGRAM: `data list` and `data fetch` from folders, archives and mirrors, and what a run does with a missing set.

No test leaves this machine: the official sources are behind a proxy that is not there."""
import gzip
import http.server
import os
import pty
import random
import struct
import subprocess
import tarfile
import threading
import time

import program

NO_PROXY = "http://127.0.0.1:1"


def offline(p):
    for name in ("http_proxy", "https_proxy"):
        p.env[name] = NO_PROXY
    p.env["no_proxy"] = "127.0.0.1"
    for name in ("RS_DATA_MIRROR", "XDG_CACHE_HOME", "all_proxy", "ALL_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        p.env.pop(name, None)
    p.env["HOME"] = p.dir


def write(p, name, content):
    os.makedirs(os.path.dirname(p.file(name)), exist_ok=True)
    with open(p.file(name), "wb") as f:
        f.write(content)


def write_idx(p, folder, packed=True):
    """MNIST's four files, with few images."""
    random.seed(3)
    for split, count in (("train", 200), ("t10k", 50)):
        images = struct.pack(">IIII", 0x803, count, 28, 28) + random.randbytes(count * 784)
        labels = struct.pack(">II", 0x801, count) + bytes(i % 10 for i in range(count))
        for kind, content in ((f"{split}-images-idx3-ubyte", images), (f"{split}-labels-idx1-ubyte", labels)):
            write(p, f"{folder}/{kind}" + (".gz" if packed else ""), gzip.compress(content) if packed else content)


def fetch(p, name, *arguments, expect=0):
    return p.run("data", "fetch", name, "--data-dir", "data", *arguments, expect=expect)


def test_list(p):
    offline(p)
    text = p.run("data", "list").stdout
    for name in ("cifar10", "cifar100", "mnist", "fashion-mnist", "shapes"):
        assert f"\n{name} " in "\n" + text, text
    assert "not here: resnet_study data fetch cifar10 (162.2 MiB from https://www.cs.toronto.edu/~kriz/)" in text, text
    assert "built in" in text
    assert text.startswith(f"looked in {p.dir}/.cache/resnet_study (--data-dir"), text
    write_idx(p, "there/MNIST/raw")
    assert "in there/MNIST/raw" in p.run("data", "list", "--data-dir", "there").stdout
    p.env["RS_DATA_DIR"] = p.file("there")
    assert f"in {p.dir}/there/MNIST/raw" in p.run("data", "list").stdout
    assert not os.path.exists(p.file(".cache")), "list has made something"


def test_help_and_usage(p):
    offline(p)
    text = p.run("data", "--help").stdout
    for word in ("--from", "--data-dir", "RS_DATA_MIRROR", "RS_DATA_DIR", "checksum", "Exit status"):
        assert word in text, word
    assert max(map(len, text.splitlines())) <= 100, text
    cases = [(["data", "lst"], "nearest list"), (["data", "fetch"], "name of a data set"),
             (["data", "fetch", "mnist", "--form", "x"], "nearest --from"), (["data", "fetch", "mnist", "--from"], "--from"),
             (["data", "fetch", "mnist", "cifar10"], "cifar10"), (["data", "list", "mnist"], "list"),
             (["data", "fetch", "minst"], "nearest mnist"), (["data", "fetch", "mnist", "--from", "ftp://x/"], "https://")]
    for arguments, message in cases:
        done = p.run(*arguments, expect=2)
        assert message in done.stderr and not done.stdout, done.stderr
    p.run("data", expect=2)
    assert "nothing to fetch" in fetch(p, "shapes").stdout


def test_fetch_from_a_folder_and_train(p):
    offline(p)
    write_idx(p, "mine", packed=False)
    text = fetch(p, "mnist", "--from", "mine").stdout
    assert "mnist in data/mnist" in text and text.count("sha256:") == 4, text
    assert sorted(os.listdir(p.file("data"))) == ["mnist"], os.listdir(p.file("data"))
    assert "mnist in data/mnist" in fetch(p, "mnist").stdout
    small = [word if word != "shapes" else "mnist" for word in program.SMALL]
    p.run(*small, "--epochs", "1", "--data-dir", "data", "--no-download", "--out", "run.h5")
    p.run("verify", "run.h5")


def test_fetch_from_an_archive(p):
    offline(p)
    write_idx(p, "MNIST/raw")
    with tarfile.open(p.file("mnist.tar.gz"), "w:gz") as tar:
        tar.add(p.file("MNIST"), "MNIST")
    fetch(p, "mnist", "--from", "mnist.tar.gz")
    assert len(os.listdir(p.file("data/mnist"))) == 4
    done = fetch(p, "cifar10", "--from", "mnist.tar.gz", expect=3)
    assert "mnist.tar.gz: data_batch_1.bin is missing" in done.stderr, done.stderr


def test_two_at_once(p):
    offline(p)
    write_idx(p, "mine")
    both = [p.start("data", "fetch", "mnist", "--from", "mine", "--data-dir", "data") for _ in range(4)]
    for one in both:
        _, errors = one.communicate(timeout=60)
        assert one.returncode == 0, errors
    assert sorted(os.listdir(p.file("data"))) == ["mnist"]


def test_bad_files_are_refused(p):
    offline(p)
    for i in range(1, 6):
        write(p, f"tiny/data_batch_{i}.bin", bytes(3073))
    write(p, "tiny/test_batch.bin", bytes(3073))
    done = fetch(p, "cifar10", "--from", "tiny", expect=3)
    assert "tiny/data_batch_1.bin: byte 3073: " in done.stderr, done.stderr
    write_idx(p, "mine")
    write(p, "mine/t10k-labels-idx1-ubyte.gz", b"\x1f\x8b damaged")
    done = fetch(p, "mnist", "--from", "mine", expect=3)
    assert "mine/t10k-labels-idx1-ubyte.gz" in done.stderr, done.stderr
    assert not os.path.exists(p.file("data/mnist")) and not os.path.exists(p.file("data/cifar-10-batches-bin"))
    assert "No such file" in fetch(p, "mnist", "--from", "nowhere", expect=3).stderr
    write(p, "afile/x", b"")
    done = p.run("data", "fetch", "mnist", "--from", "mine", "--data-dir", "afile/x", expect=1)
    assert "--data-dir DIR or RS_DATA_DIR" in done.stderr, done.stderr


def test_without_a_network(p):
    offline(p)
    by_hand = ("by hand: get https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz, on any machine, and run resnet_study data "
               "fetch cifar10 --from FILE_OR_DIR, or put data_batch_1.bin, ... into data/cifar-10-batches-bin")
    for done in (fetch(p, "cifar10", expect=3), p.run("--dataset", "cifar10", "--data-dir", "data", "--out", "r.h5", expect=3)):
        assert by_hand in done.stderr, done.stderr
        assert done.stderr.count("fetching cifar10 into data (338.0 MiB with what is unpacked)") == 1, done.stderr
    done = p.run("--dataset", "cifar10", "--data-dir", "data", "--no-download", "--out", "r.h5", expect=3)
    assert "fetch it: resnet_study data fetch cifar10" in done.stderr and "by hand: get https://" in done.stderr, done.stderr
    assert "fetching" not in done.stderr
    assert not os.path.exists(p.file("r.h5"))


class Mirror(http.server.BaseHTTPRequestHandler):
    """Has files of the right size and the wrong content, and takes a second to send the first."""
    asked = []

    def log_message(self, *_):
        pass

    def do_GET(self):
        Mirror.asked.append(self.path)
        size = {"/mnist/train-images-idx3-ubyte.gz": 9912422}.get(self.path)
        if size is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        for at in range(0, size, 1 << 20):
            self.wfile.write(bytes(min(1 << 20, size - at)))
            time.sleep(0.1)


def with_mirror(p):
    offline(p)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    p.env["RS_DATA_MIRROR"] = f"http://127.0.0.1:{server.server_address[1]}"
    Mirror.asked.clear()
    return server


def test_mirror_is_asked_first_and_not_trusted(p):
    server = with_mirror(p)
    done = fetch(p, "mnist", expect=3)
    server.shutdown()
    assert Mirror.asked == ["/mnist/train-images-idx3-ubyte.gz"], Mirror.asked
    assert "wrong content: its MD5 is" in done.stderr and "trying the next source" in done.stderr, done.stderr
    assert "\r" not in done.stderr and "\033" not in done.stderr, done.stderr
    assert not os.path.exists(p.file("data/mnist"))


def test_progress_on_a_terminal(p):
    server = with_mirror(p)
    try:
        ours, theirs = pty.openpty()
    except OSError:
        print("skipped: this machine has no pseudo-terminals (/dev/pts)")
        return
    child = subprocess.Popen([p.path, "data", "fetch", "mnist", "--data-dir", "data"], cwd=p.dir, env=p.env,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    text = b""
    try:
        while piece := os.read(ours, 4096):
            text += piece
    except OSError:  # how a terminal ends
        pass
    os.close(ours)
    assert child.wait(timeout=60) == 3
    server.shutdown()
    assert b"\rtrain-images" in text.replace(b"\033[K", b"") and b"% of 9.45 MiB" in text, text


if __name__ == "__main__":
    program.main([test for name, test in list(globals().items()) if name.startswith("test_")])
