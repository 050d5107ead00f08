"""One story in a real browser and real processes: from simulated plates to a trial read patient by patient,
while pages are closed and the server is killed and started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

from tests import processes
from tests.browsing import chromium

RUN = "from glueprint.cli import main; main()"
LONG_MS = 900_000


def started(folder):
    """A server of its own process, and its first address."""
    log = folder.with_suffix(".log")
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-c", RUN, "serve", str(folder), "--workers", "1"],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **processes.TELLING},  # where it stands, into the log
        )
    while server.poll() is None:
        if found := re.search(r"http://\S+\n", log.read_text("utf-8")):
            return server, found[0].strip()
        time.sleep(0.2)
    raise AssertionError(log.read_text("utf-8"))


def test_from_the_plate_to_a_patient_of_the_trial(tmp_path):
    with chromium() as browser:
        server, address = started(tmp_path / "projects")
        try:
            page = browser.new_page()
            page.set_default_timeout(LONG_MS)
            page.goto(address)
            page.click("text=Make simulated plates")
            page.wait_for_url(re.compile("/p/glue-1$"))
            page.click("text=growth-1")
            page.locator("#w-B4").click()
            page.select_option("select[name=reason]", "bubble")
            page.click("text=Leave out, fit again")
            page.wait_for_selector("#fit .figure")
            page.goto(address.partition("/?")[0] + "/p/glue-1/trials")
            page.fill("input[name=name]", "first")
            page.select_option("select[name=base]", "template")
            page.click("button:has-text('Begin')")
            for place in (0, 1):
                page.fill(f"[name=arm-{place}-patients]", "10")
            page.locator("button.main[name=do]").click()
            page.wait_for_load_state()
            page.fill("[name=replicates]", "2")
            page.click("text=Run as a job")
            page.wait_for_url(re.compile("/jobs/"))
            job = page.url
            page.close()  # the job goes on without a page, and without a server
            server.send_signal(signal.SIGKILL)
            server.wait()
            server, address = started(tmp_path / "projects")
            page = browser.new_page()
            page.set_default_timeout(LONG_MS)
            page.goto(address)
            base = address.partition("/?")[0]
            page.goto(base + "/jobs/" + job.rpartition("/")[2])
            page.wait_for_selector(".state-finished")
            page.goto(base + "/p/glue-1/trials/first/result")
            page.wait_for_selector("#figure-km_pfs svg")
            page.click("text=Patients, one by one")
            page.locator("tbody th a").first.click()
            page.wait_for_selector("h1:has-text('Patient')")
            assert page.locator("svg.panel").count() == 5
        finally:
            os.kill(server.pid, signal.SIGTERM)
            processes.ended(server, 600)
