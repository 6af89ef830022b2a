"""fetch_server.py FOLDER: makes files for test_fetch.c in FOLDER and serves them, honestly or not, on 127.0.0.1.

Prints "PORT TLS_PORT" (0 without openssl) when it is ready, and ends when its standard input does, or after two minutes. A URL is
http://127.0.0.1:PORT/MODE/[ANYTHING/]FILE; MODE is a function mode_... below. Every request is a line of FOLDER/requests."""
import gzip
import http.server
import io
import os
import random
import ssl
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zipfile

FOLDER = sys.argv[1]
RECORD = 1 + 3 * 32 * 32
BREAK_AT = 100000
random.seed(1)


# --- files -----------------------------------------------------------------------------------------------------------

def records(count):
    return b"".join(bytes([i % 10]) + random.randbytes(RECORD - 1) for i in range(count))


TRAIN, TEST = records(100), records(20)


def put(name, content):
    with open(os.path.join(FOLDER, name), "wb") as f:
        f.write(content)
    return content


def file_entry(name, content):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info, io.BytesIO(content)


def other_entry(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, None


def archive(name, *entries, mode="w:gz"):
    with tarfile.open(os.path.join(FOLDER, name), mode) as tar:
        for info, content in entries:
            tar.addfile(info, content)


def make_archives():
    train, test = file_entry("tiny/train.bin", TRAIN), file_entry("tiny/test.bin", TEST)

    def fresh():
        return file_entry("tiny/train.bin", TRAIN), file_entry("tiny/test.bin", TEST)

    archive("tiny.tar.gz", other_entry("tiny", tarfile.DIRTYPE), train, test, file_entry("tiny/readme.html", b"<html>"))
    archive("plain.tar", *fresh(), mode="w:")
    archive("deep.tar.xz", file_entry("a/b/c/train.bin", TRAIN), file_entry("elsewhere/test.bin", TEST), mode="w:xz")
    archive("many.tar.bz2", *(file_entry(f"x/{i}", b"") for i in range(20)), *fresh(), mode="w:bz2")
    with zipfile.ZipFile(os.path.join(FOLDER, "good.zip"), "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("tiny/train.bin", TRAIN)
        z.writestr("tiny/test.bin", TEST)
    archive("dotdot.tar.gz", file_entry("tiny/../../train.bin", TRAIN), fresh()[1])
    archive("absolute.tar.gz", file_entry("/tmp/train.bin", TRAIN), fresh()[1])
    archive("symlink.tar.gz", other_entry("tiny/train.bin", tarfile.SYMTYPE, "/etc/passwd"), fresh()[1])
    archive("hardlink.tar.gz", fresh()[1], other_entry("tiny/train.bin", tarfile.LNKTYPE, "tiny/test.bin"))
    archive("linked_folder.tar.gz", other_entry("tiny", tarfile.SYMTYPE, "/tmp"), *fresh())
    archive("pipe.tar.gz", other_entry("tiny/train.bin", tarfile.FIFOTYPE), fresh()[1])
    archive("twice.tar.gz", *fresh(), file_entry("again/train.bin", TRAIN))
    archive("missing.tar.gz", fresh()[1])
    archive("folder.tar.gz", other_entry("tiny/train.bin", tarfile.DIRTYPE), fresh()[1])
    archive("short.tar.gz", file_entry("tiny/train.bin", TRAIN[:-1]), fresh()[1])
    archive("label.tar.gz", file_entry("tiny/train.bin", b"\x0a" + TRAIN[1:]), fresh()[1])
    archive("bomb.tar.gz", file_entry("tiny/train.bin", bytes(40 << 20)), fresh()[1])
    archive("other_bomb.tar.gz", file_entry("tiny/other.bin", bytes(40 << 20)), *fresh())
    archive("entries.tar.gz", *(file_entry(f"x/{i}", b"") for i in range(10001)), *fresh())
    with open(os.path.join(FOLDER, "tiny.tar.gz"), "rb") as f:
        whole = f.read()
    put("cut.tar.gz", whole[:len(whole) // 2])
    put("nonsense.tar.gz", random.randbytes(5000))
    put("empty.tar.gz", b"")


def make_idx():
    for split, count in (("train", 7), ("t10k", 4)):
        images = struct.pack(">IIII", 0x803, count, 28, 28) + random.randbytes(count * 28 * 28)
        put(f"{split}-images-idx3-ubyte.gz", gzip.compress(images, mtime=0))
        put(f"{split}-labels-idx1-ubyte.gz", gzip.compress(struct.pack(">II", 0x801, count) + bytes(range(count)), mtime=0))


# --- serving ---------------------------------------------------------------------------------------------------------

lock = threading.Lock()
seen = {}


def first_time(key):
    with lock:
        seen[key] = seen.get(key, 0) + 1
        return seen[key] == 1


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def log_message(self, *_):
        pass

    def do_GET(self):
        mode, _, rest = self.path.lstrip("/").partition("/")
        asked = self.headers.get("Range", "-")
        with lock, open(os.path.join(FOLDER, "requests"), "a", encoding="utf-8") as f:
            f.write(f"{mode}/{rest} {asked}\n")
        try:
            with open(os.path.join(FOLDER, os.path.basename(rest)), "rb") as f:
                content = f.read()
        except OSError:
            content = None
        answer = getattr(self, "mode_" + mode, None)
        if answer is None or content is None:
            self.send_error(404)
        else:
            begin = int(asked[6:].rstrip("-")) if asked.startswith("bytes=") else 0
            answer(content, begin, rest)

    def begin_answer(self, begin, total):
        """Headers of the bytes from `begin` of `total`; False when there are none."""
        if begin >= total:
            self.send_error(416)
            return False
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{total - 1}/{total}")
        self.send_header("Content-Length", str(total - begin))
        self.end_headers()
        return True

    def mode_plain(self, content, begin, _):
        if self.begin_answer(begin, len(content)):
            self.wfile.write(content[begin:])

    def mode_norange(self, content, _, __):
        self.mode_plain(content, 0, _)

    def mode_otherrange(self, content, begin, _):
        self.send_response(206)
        self.send_header("Content-Range", f"bytes 5-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - 5))
        self.end_headers()
        self.wfile.write(content[5:])

    def cut(self, content, begin, end):
        if self.begin_answer(begin, len(content)):
            self.wfile.write(content[begin:end])
            self.wfile.flush()
        self.close_connection = True

    def mode_breakonce(self, content, begin, rest):
        self.cut(content, begin, BREAK_AT if first_time(self.path) else len(content))

    def mode_breakat(self, content, begin, _):
        self.cut(content, begin, BREAK_AT)

    def mode_breakoften(self, content, begin, _):
        self.cut(content, begin, begin + 60000)

    def mode_stallonce(self, content, begin, _):
        if not first_time(self.path):
            return self.mode_plain(content, begin, _)
        if self.begin_answer(begin, len(content)):
            self.wfile.write(content[begin:BREAK_AT])
            self.wfile.flush()
            time.sleep(20)
        self.close_connection = True

    def mode_slow(self, content, begin, _):
        if self.begin_answer(begin, len(content)):
            for at in range(begin, len(content), 20000):
                self.wfile.write(content[at:at + 20000])
                self.wfile.flush()
                time.sleep(0.1)

    def mode_wrong(self, content, begin, _):
        self.mode_plain(content[:-1] + bytes([content[-1] ^ 1]), begin, _)

    def mode_longer(self, content, begin, _):
        self.mode_plain(content + bytes(1000), begin, _)

    def mode_endless(self, content, _, __):
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        for _ in range(64):
            self.wfile.write(bytes(1 << 20))

    def mode_shorter(self, content, begin, _):
        self.mode_plain(content[:-10], begin, _)

    def mode_nothing(self, *_):
        self.close_connection = True

    def mode_error503(self, *_):
        self.send_error(503)

    def mode_busyonce(self, content, begin, _):
        if first_time(self.path):
            self.send_error(503)
        else:
            self.mode_plain(content, begin, _)

    def go_to(self, place):
        self.send_response(302)
        self.send_header("Location", place)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def mode_redirect(self, _, __, rest):
        self.go_to("/plain/" + rest)

    def mode_loop(self, *_):
        self.go_to(self.path)

    def mode_tofile(self, _, __, rest):
        self.go_to("file://" + os.path.join(FOLDER, os.path.basename(rest)))

    def mode_tohttp(self, _, __, rest):
        self.go_to(f"http://127.0.0.1:{server.server_address[1]}/plain/{rest}")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # clients that go away are what is tested


def serve_tls():
    """A server with a certificate that only FOLDER/cert.pem vouches for. Its port, or 0."""
    certificate, key = os.path.join(FOLDER, "cert.pem"), os.path.join(FOLDER, "key.pem")
    try:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
                       check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    secure = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    threading.Thread(target=secure.serve_forever, daemon=True).start()
    return secure.server_address[1]


put("train.bin", TRAIN)
put("test.bin", TEST)
make_archives()
make_idx()
server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
threading.Timer(120, lambda: os._exit(0)).start()
print(server.server_address[1], serve_tls(), flush=True)
sys.stdin.read()
os._exit(0)
