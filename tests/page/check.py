"""Looks at pages of `--report` in a headless Chromium: `make page-check`.

Needs Python 3.11 and Chromium (Debian's packages python3 and chromium), nothing else. Screenshots
go to the output folder.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time

from browser import Browser

ROOT = pathlib.Path(__file__).resolve().parents[2]
ODD = [b"<script>alert(1)</script>", b'"onmouseover="alert(1)', b"&amp;&lt;b&gt;", b"caf\xe9", b"100% #1?",
       "\u202e\u05d0\u05d1\u05d2".encode(), b"x" * 240, b"two\nlines", b"'; alert(1); '"]
# Formats that sonoprint reads and Chromium does not.
UNPLAYABLE = (".au", ".aiff", ".aif", ".aifc", ".caf")

TEXTS = """(() => {
  const channels = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (c) => channels(c).slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if (c.startsWith("rgb(")) return c;
    }
    return "rgb(255, 255, 255)";
  };
  const wrong = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length || ["SCRIPT", "NOSCRIPT"].includes(e.tagName)) continue;
    const style = getComputedStyle(e);
    if (parseFloat(style.fontSize) < 14) wrong.push(`${e.tagName} of ${style.fontSize}`);
    const [a, b] = [light(style.color), light(ground(e))].sort((a, b) => b - a);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) wrong.push(`${e.tagName}.${e.className} "${e.textContent.slice(0, 20)}": contrast ${ratio.toFixed(2)}`);
  }
  return [...new Set(wrong)].slice(0, 10);
})()"""

MARKS = """(() => {
  const light = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const value = (name) => {
    const c = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    return light(c.length === 4 ? "#" + [...c.slice(1)].map((d) => d + d).join("") : c);
  };
  const wrong = [];
  for (const name of [..."0123456789"].map((i) => "--c" + i).concat("--none")) {
    for (const ground of ["--ground", "--card"]) {
      const [a, b] = [value(name), value(ground)].sort((a, b) => b - a);
      if ((a + 0.05) / (b + 0.05) < 3) wrong.push(`${name} on ${ground}`);
    }
  }
  return wrong;
})()"""


class Check:
    def __init__(self, browser, out):
        self.browser, self.out, self.failures, self.count = browser, out, [], 0

    def that(self, holds, what):
        self.count += 1
        if not holds:
            self.failures.append(what)
            print(f"FAILED: {what}", flush=True)

    def quiet(self, name, missing_files=False):
        complaints = [c for c in self.browser.complaints if not (missing_files and "ERR_FILE_NOT_FOUND" in c)]
        self.that(not complaints, f"{name}: {complaints[:3]}")
        local = ("file:", "data:", "blob:", "about:")
        foreign = [url for url in self.browser.fetched if not url.startswith(local)]
        self.that(not foreign, f"{name} fetches {foreign[:3]}")
        self.browser.complaints.clear()
        self.browser.fetched.clear()

    def looks(self, name, page):
        """Checks widths, sizes and contrasts, and takes screenshots."""
        for width, height in [(1280, 900), (375, 800)]:
            for scheme in ["light", "dark"]:
                self.browser.open(page.as_uri(), width, height, scheme == "dark")
                here = f"{name} at {width} px, {scheme}"
                self.browser.run("document.querySelector('#body tr').click()")
                self.browser.wait()
                wide = self.browser.run("document.documentElement.scrollWidth")
                self.that(wide <= width, f"{here}: {wide} px wide")
                wrong = self.browser.run(TEXTS) + self.browser.run(MARKS)
                self.that(not wrong, f"{here}: {wrong}")
                self.browser.screenshot(self.out / f"{name}-{width}-{scheme}-top.png")
                self.browser.run("document.querySelector('#close').click()")
                self.browser.screenshot(self.out / f"{name}-{width}-{scheme}.png", whole=True)
        self.quiet(name, missing_files=True)

    def works(self, name, page, rows):
        """Sorts, filters, scrolls, and clicks on the map."""
        run = self.browser.run
        took = self.browser.open(page.as_uri(), 1280, 900)
        self.that(took < 5, f"{name} loads in {took:.1f} s")
        drawn = run("document.querySelectorAll('#body tr[data-track]').length")
        self.that(0 < drawn <= 60, f"{name}: {drawn} rows are drawn")
        sort = "(() => { const t = performance.now(); document.querySelector('[data-sort=%s] button').click(); return performance.now() - t })()"
        first = "document.querySelector('#body tr[data-track]').cells[%d].textContent"
        slowest = 0
        for by in ["confidence", "confidence", "length", "label", "next", "note", "name"]:
            slowest = max(slowest, run(sort % by))
        self.that(slowest < 500, f"{name}: sorting takes {slowest:.0f} ms")
        run(sort % "confidence")
        scores = [int(s.rstrip(" %")) for s in run("[...document.querySelectorAll('#body tr[data-track]')].map((r) => r.cells[2].textContent)")]
        self.that(scores == sorted(scores, reverse=True) and scores[0] > scores[-1] - 1, f"{name}: sorted by confidence: {scores[:5]}")
        sorted_by = run("document.querySelector('[data-sort=confidence]').ariaSort")
        self.that(sorted_by == "descending", f"{name}: aria-sort is {sorted_by}")
        # To the end of the table, in steps.
        scroll = run("""(async () => {
          const rows = document.getElementById("rows");
          let worst = 0;
          for (let k = 1; k <= 60; k++) {
            rows.scrollTop = rows.scrollHeight * k / 60;
            const t = performance.now();
            await new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f)));
            worst = Math.max(worst, performance.now() - t);
          }
          return worst;
        })()""")
        last = run("[...document.querySelectorAll('#body tr[data-track]')].at(-1).ariaRowIndex")
        self.that(int(last) == int(run("document.getElementById('table').getAttribute('aria-rowcount')")), f"{name}: the last row is {last}")
        # Filters.
        total = run("document.getElementById('state').textContent")
        run("document.querySelector('[data-label]').click()")
        fewer = run("document.getElementById('state').textContent")
        self.that(total != fewer and "match" in fewer, f"{name}: {total} and {fewer} with a label off")
        run("document.getElementById('all-on').click()")
        word = run("JSON.parse(document.getElementById('data').textContent).path[0].split('/').pop().slice(0, 8)")
        run(f"(() => {{ const f = document.getElementById('filter'); f.value = {word!r}; f.dispatchEvent(new Event('input')) }})()")
        found = run("document.querySelectorAll('#body tr[data-track]').length")
        self.that(found >= 1 and "match" in run("document.getElementById('state').textContent"), f"{name}: {found} tracks have {word}")
        run("(() => { const f = document.getElementById('filter'); f.value = ''; f.dispatchEvent(new Event('input')) })()")
        # The map: what the pointer finds is what a click selects.
        run("document.getElementById('map').scrollIntoView({block: 'center'})")
        box = run("(() => { const b = document.getElementById('map').getBoundingClientRect(); return [b.left, b.top, b.width, b.height] })()")
        hovered = None
        for step in range(900):
            spot = (box[0] + box[2] * (0.1 + 0.8 * (step % 30) / 30), box[1] + box[3] * (0.1 + 0.8 * (step // 30) / 30))
            self.browser.mouse("mouseMoved", *spot)
            hovered = run("document.getElementById('tip').hidden ? null : document.querySelector('#tip bdi').textContent")
            if hovered is not None:
                break
        self.that(hovered is not None, f"{name}: the pointer finds a track on the map")
        self.browser.screenshot(self.out / f"{name}-hover.png")
        self.browser.click(*spot)
        playing = run("document.getElementById('player').hidden ? null : document.getElementById('now-name').textContent")
        self.that(playing == hovered, f"{name}: {hovered} is selected, and {playing} is in the player")
        row = run("document.querySelector('#body tr[aria-selected=true] bdi')?.textContent")
        self.that(row == hovered, f"{name}: the row of {row} is highlighted")
        seen = run("""(() => {
          const [a, b] = ['#body tr[aria-selected=true]', '#rows'].map((s) => document.querySelector(s).getBoundingClientRect());
          return a.top >= b.top && a.bottom <= b.bottom;
        })()""")
        self.that(seen, f"{name}: the highlighted row is in view")
        # The keyboard.
        run("document.getElementById('map').focus()")
        self.browser.press("ArrowRight")
        self.browser.press("ArrowLeft")
        run("document.getElementById('rows').focus()")
        before = run("document.querySelector('#body tr[aria-selected=true]').ariaRowIndex")
        self.browser.press("ArrowUp" if int(before) > 2 else "ArrowDown")
        after = run("document.querySelector('#body tr[aria-selected=true]').ariaRowIndex")
        self.that(abs(int(after) - int(before)) == 1, f"{name}: an arrow key goes from row {before} to {after}")
        self.quiet(name, missing_files=True)
        print(f"{name}: {rows} rows, loads in {took:.2f} s, sorts in {slowest:.0f} ms, worst step of scrolling {scroll:.0f} ms", flush=True)

    def plays(self, name, page):
        """Plays each row, by the keyboard."""
        self.browser.open(page.as_uri(), 1280, 900)
        self.browser.run("document.getElementById('rows').focus()")
        rows = int(self.browser.run("document.getElementById('table').getAttribute('aria-rowcount')")) - 1
        seen = set()
        for _ in range(rows):
            self.browser.press("ArrowDown")
            if self.browser.run("audio.paused"):
                self.browser.press("Enter")
            for _ in range(100):
                if self.browser.run("audio.readyState >= 2 || !trouble.hidden"):
                    break
                time.sleep(0.05)
            track, ready, seconds = self.browser.run("[document.getElementById('now-name').title, audio.readyState, audio.duration]")
            seen.add(track)
            if track.endswith(UNPLAYABLE):
                self.that(not self.browser.run("trouble.hidden"), f"{name} says that {track} cannot be played")
            else:
                self.that(ready >= 2 and seconds > 0.5, f"{name} plays {track}: {ready}, {seconds}")
        self.that(len(seen) == rows, f"{name} plays {len(seen)} of {rows} rows")
        self.quiet(name)

    def without_scripts(self, name, page):
        self.browser.open(page.as_uri(), 375, 800, scripts=False)
        time.sleep(0.5)
        shown = self.browser.run("[document.querySelectorAll('#body tr').length, document.querySelectorAll('.needs-js').length, [...document.querySelectorAll('.needs-js')].filter((e) => e.getClientRects().length).length]")
        self.that(shown[0] > 0 and shown[2] == 0, f"{name} without scripts: {shown}")
        self.browser.screenshot(self.out / f"{name}-375-plain.png", whole=True)
        self.quiet(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--program", default="target/quick/sonoprint", type=pathlib.Path)
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    args = parser.parse_args()
    if args.chromium is None:
        sys.exit("there is no Chromium: apt-get install chromium")
    out, program = args.out.resolve(), args.program.resolve()
    out.mkdir(parents=True, exist_ok=True)

    def sonoprint(*words):
        done = subprocess.run([program, *words], cwd=out, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode > 1:
            sys.exit(done.stderr.decode())

    odd = out / "odd"
    shutil.rmtree(odd, ignore_errors=True)
    odd.mkdir()
    clip = next((ROOT / "data/clips").rglob("*.flac"))
    for name in ODD:
        # A slash makes a folder.
        file = os.path.join(os.fsencode(odd), name + b".flac")
        os.makedirs(os.path.dirname(file), exist_ok=True)
        shutil.copy(clip, file)
    sonoprint("classify", ROOT / "data/clips", "--device", "cpu", "--out", "clips.csv", "--fresh", "--report", "clips.html")
    sonoprint("classify", "odd", "--device", "cpu", "--out", "odd.csv", "--fresh", "--report", "odd.html")
    for name, more in [("genres", []), ("tags", ["--tags"])]:
        subprocess.run([sys.executable, ROOT / "tests/page/journal.py", out / f"{name}-rows.csv", "10000", *more], check=True)
        sonoprint("merge", f"{name}-rows.csv", "--out", f"{name}.csv", "--report", f"{name}.html")
    browser = Browser(args.chromium)
    check = Check(browser, out)
    try:
        for name in ["clips", "odd", "genres", "tags"]:
            page = out / f"{name}.html"
            print(f"{name}: {page.stat().st_size / 1e6:.1f} MB", flush=True)
            check.looks(name, page)
            if name != "odd":
                check.works(name, page, browser.run("JSON.parse(document.getElementById('data').textContent).path.length"))
            if name in ("clips", "odd"):
                check.plays(name, page)
            check.without_scripts(name, page)
    finally:
        browser.close()
    print(f"{check.count} checks, {len(check.failures)} failed; screenshots in {out}")
    sys.exit(bool(check.failures))


main()
