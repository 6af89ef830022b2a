"""browser.py: headless Chromium for tests of pages: runs a script in a page from a file, and takes pictures.

`Browser(folder)`; without Chromium `Browser.find()` is None. A probe is JavaScript, the body of a function that returns what can be
JSON: it runs in a copy of the page behind the page's own scripts. Errors of scripts, of the console and of the page's policy are kept."""
import json
import os
import re
import shutil
import subprocess

CATCH = """<script>
window.faults = [];
addEventListener("error", (e) => faults.push("error: " + e.message));
addEventListener("unhandledrejection", (e) => faults.push("rejection: " + e.reason));
addEventListener("securitypolicyviolation", (e) => faults.push("policy: " + e.blockedURI + " " + e.violatedDirective));
for (const kind of ["error", "warn"]) { console[kind] = (...all) => faults.push("console: " + all.join(" ")); }
</script>"""
PROBE = """<pre id="probe-result"></pre><script>
(() => { let found; try { found = (() => { %s })(); } catch (e) { faults.push("probe: " + e); }
document.getElementById("probe-result").textContent = JSON.stringify({found, faults}); })();
</script>"""
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
           "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND", "--disable-background-networking"]


class Browser:
    def __init__(self, folder):
        self.folder = folder

    @staticmethod
    def find():
        return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

    def start(self, *arguments):
        profile = os.path.join(self.folder, "profile")
        done = subprocess.run([self.find(), *OPTIONS, f"--user-data-dir={profile}", *arguments], check=False, timeout=120,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0, done.stderr
        return done

    def probe(self, page, script, *arguments):
        """What the script returns; an AssertionError where anything went wrong in the page. The URL may have a part behind '#'."""
        path, _, part = page.partition("#")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        assert "<head>" in text and "</body>" in text, "the page has no head or body"
        text = text.replace("<head>", "<head>" + CATCH, 1).replace("</body>", PROBE % script + "</body>")
        copy = os.path.join(self.folder, "probe.html")
        with open(copy, "w", encoding="utf-8") as f:
            f.write(text)
        dom = self.start("--dump-dom", "--window-size=1200,900", *arguments, f"file://{copy}" + (f"#{part}" if part else "")).stdout
        match = re.search(r'<pre id="probe-result">(.*?)</pre>', dom, re.S)
        assert match and match[1], f"the probe left nothing: {dom[-500:]}"
        plain = match[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        result = json.loads(plain)
        assert not result["faults"], result["faults"]
        return result["found"]

    def picture(self, page, to, width, height, *arguments):
        self.start(f"--screenshot={to}", f"--window-size={width},{height}", *arguments, f"file://{page}")
        with open(to, "rb") as f:
            assert f.read(8) == b"\x89PNG\r\n\x1a\n", "no picture"
