"""Drives a headless Chromium over its debugging pipe, with Python's standard library alone."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--mute-audio",
    "--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe",
]


class Browser:
    """A browser with one page. Collects what the page complains of, and what it fetches."""

    def __init__(self, program):
        self.profile = tempfile.mkdtemp(prefix="page-check-")
        (read_commands, self.commands), (self.answers, write_answers) = os.pipe(), os.pipe()

        def pipes():
            # The browser reads from 3 and writes to 4. Both ends are moved out of the way first.
            ends = [os.dup2(read_commands, 100), os.dup2(write_answers, 101)]
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={self.profile}", "about:blank"],
            preexec_fn=pipes, close_fds=False, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        os.close(read_commands)
        os.close(write_answers)
        self.numbers = itertools.count(1)
        self.text = b""
        self.session = None
        self.complaints, self.fetched = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")

    def message(self):
        while b"\0" not in self.text:
            more = os.read(self.answers, 1 << 20)
            if not more:
                raise RuntimeError("the browser ended")
            self.text += more
        message, self.text = self.text.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        number = next(self.numbers)
        command = {"id": number, "method": method, "params": params}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self.message()
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.event(message)

    def event(self, message):
        params = message.get("params", {})
        match message.get("method"):
            case "Page.javascriptDialogOpening":
                self.complaints.append(f"dialog: {params['message']}")
                number = next(self.numbers)
                answer = {"id": number, "method": "Page.handleJavaScriptDialog", "params": {"accept": True},
                          "sessionId": self.session}
                os.write(self.commands, json.dumps(answer).encode() + b"\0")
            case "Runtime.exceptionThrown":
                self.complaints.append(f"exception: {params['exceptionDetails']}")
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.complaints.append(f"console: {params['args']}")
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.complaints.append(f"log: {params['entry']['text']} {params['entry'].get('url', '')}")
            case "Network.requestWillBeSent":
                self.fetched.append(params["request"]["url"])

    def open(self, url, width, height, dark=False, scripts=True):
        phone = width < 600
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, mobile=phone,
                  deviceScaleFactor=2 if phone else 1)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        start = time.monotonic()
        self.call("Page.navigate", url=url)
        while self.run("document.readyState") != "complete" or self.run("location.href") == "about:blank":
            if time.monotonic() - start > 60:
                raise RuntimeError(f"{url} does not load")
            time.sleep(0.02)
        if scripts:
            self.wait()
        return time.monotonic() - start

    def run(self, script):
        """Evaluates an expression, or waits for the promise that it is."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True,
                           userGesture=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self):
        """Waits until two frames are drawn."""
        self.run("new Promise(f => requestAnimationFrame(() => requestAnimationFrame(() => f(0))))")

    def mouse(self, kind, x, y):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def click(self, x, y):
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"]:
            self.mouse(kind, x, y)
        self.wait()

    def press(self, key):
        for kind in ["keyDown", "keyUp"]:
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)
        self.wait()

    def screenshot(self, path, whole=False):
        result = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(result["data"]))

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)
