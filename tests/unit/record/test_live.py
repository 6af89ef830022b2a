"""Reads a record with h5py while it is being written: test_live.py WRITER. Every committed value must be right."""
import os
import signal
import subprocess
import sys
import tempfile
import time

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "record_check.py")


def main():
    try:
        import h5py
    except ImportError:
        print("skipped: this Python has no h5py; install python3-h5py to have this tested")
        sys.exit(77)
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "live.h5")
        writer = subprocess.Popen([sys.argv[1], path, "100000", "small", "sync"])
        try:
            while not os.path.exists(path):
                time.sleep(0.01)
                assert writer.poll() is None
            while len(seen) < 4:
                time.sleep(0.2)
                result = subprocess.run([sys.executable, CHECK, "live", path], check=True, stdout=subprocess.PIPE, text=True)
                if result.stdout.strip() not in ("", "None"):
                    seen.append(int(result.stdout))
            with h5py.File(path, "r", swmr=True) as file:  # one open file sees more and more
                dataset = file["commits/step"]
                before = len(dataset)
                deadline = time.time() + 20
                while len(dataset) == before and time.time() < deadline:
                    time.sleep(0.05)
                    dataset.refresh()
                assert len(dataset) > before
            assert writer.poll() is None, "the writer must have been at work all the time"
        finally:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
    assert seen == sorted(seen) and seen[-1] > seen[0] > 0, seen
    print("epochs seen:", seen)


main()
