"""The proxy of the docs: it says what the server needs, and nginx takes it where nginx is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from glueprint.web.guard import MOST_BODY
from glueprint.web.queue import LONGEST_S

PAGE = Path(__file__).parents[2] / "docs" / "workbench.md"


@pytest.fixture(scope="module")
def example():
    return re.search(r"```nginx\n(.*?)```", PAGE.read_text("utf-8"), re.S)[1]


def test_the_proxy_passes_host_progress_and_files(example):
    said = dict(re.findall(r"^\s*(\w+)\s+(.*?);", example, re.M))
    assert example.count("{") == example.count("}") == 2
    assert all(
        line.rstrip().endswith((";", "{", "}"))
        for line in re.sub(r"\s*#.*", "", example).splitlines()
        if line.strip()
    )
    assert said["proxy_set_header"] == "Host $host"
    assert said["proxy_buffering"] == "off"
    assert int(said["client_max_body_size"].removesuffix("m")) * 1024**2 >= MOST_BODY
    assert int(said["proxy_read_timeout"].removesuffix("m")) * 60 > LONGEST_S
    assert said["proxy_pass"].startswith("http://127.0.0.1:8800")


def test_nginx_takes_it(example, tmp_path):
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None or shutil.which("openssl") is None:
        pytest.skip("no nginx and openssl: the example is read and not tried")
    names = [str(tmp_path / name) for name in ("bench.key", "bench.pem")]
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=bench.example.org"]
    subprocess.run([*words, "-keyout", names[0], "-out", names[1]], check=True, capture_output=True)
    own = example.replace("/etc/ssl/bench.key", names[0]).replace("/etc/ssl/bench.pem", names[1])
    head = f"pid {tmp_path}/nginx.pid;\nerror_log {tmp_path}/error.log;\nevents {{}}\n"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in kinds)
    text = f"{head}http {{\naccess_log off;\n{places}{own}\n}}\n"
    (tmp_path / "nginx.conf").write_text(text, "utf-8")
    done = subprocess.run(
        [nginx, "-t", "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
