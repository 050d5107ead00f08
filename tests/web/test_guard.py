"""Who may ask what: before any page, for every address, and with nothing written."""

from __future__ import annotations

import re

import pytest
from tests.web.client import HOST, Browser

from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.web import ROUTES, Choices, Session, serving
from glueprint.web.guard import MOST_BODY

ADDRESSES = sorted({re.sub(r"\{\w+\}", "x", route.path) for route in ROUTES} - {"/static/x"})
POSTS = sorted({re.sub(r"\{\w+\}", "x", route.path) for route in ROUTES if "POST" in route.methods})


def everything_in(folder):
    return sorted((path.as_posix(), path.stat().st_mtime_ns) for path in folder.rglob("*"))


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_the_token_no_page_answers(bench, address):
    answer = Browser(bench).get(address)
    assert (answer.status, "GP-B002" in answer.text) == (401, True)


@pytest.mark.parametrize("token", ["", "x", "\x00", "é"])
def test_a_wrong_token_or_cookie_opens_nothing(bench, token):
    stranger = Browser(bench)
    assert stranger.get(f"/?token={token}").status == 401
    stranger.cookie = f"{bench.session.cookie}={token}"
    assert stranger.get("/").status == 401


def test_the_first_address_gives_a_cookie_and_goes_without_the_token(bench):
    answer = Browser(bench).get(f"/evidence?q=a&token={bench.session.token}")
    assert (answer.status, answer.headers["location"]) == (303, "/evidence?q=a")
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Path=/"))
    assert "Secure" not in cookie
    assert "Secure" in Session(frozenset({"bench.example.org"}), secure=True).set_cookie()


def test_the_first_address_never_leads_to_another_host(bench):
    for start in ("//example.org/x", "/\\\\example.org/x", "///example.org/x"):
        answer = Browser(bench).get(f"{start}?token={bench.session.token}")
        assert (answer.status, answer.headers["location"]) == (303, "/example.org/x")


@pytest.mark.parametrize(
    "host", ["", "example.org", "example.org:8123", f"{HOST}.example.org", f"{HOST}, {HOST}"]
)
def test_another_host_is_refused_even_with_the_cookie(bench, browser, host):
    browser.host = host
    for address in ("/", "/static/app.css", f"/?token={bench.session.token}"):
        answer = browser.get(address)
        assert (answer.status, "GP-B003" in answer.text) == (421, True)


@pytest.mark.parametrize("address", POSTS)
@pytest.mark.parametrize(
    "origin", ["", "null", "http://example.org", f"http://{HOST}.example.org", "https://"]
)
def test_a_form_of_another_site_is_refused_and_writes_nothing(bench, browser, address, origin):
    before = everything_in(bench.workspace.folder)
    answer = browser.post(address, {"name": "new", "compound": "A", "smiles": "C"}, origin=origin)
    assert (answer.status, "GP-B004" in answer.text) == (403, True)
    assert everything_in(bench.workspace.folder) == before


@pytest.mark.parametrize("address", POSTS)
def test_a_form_without_its_secret_is_refused_and_writes_nothing(bench, browser, address):
    before = everything_in(bench.workspace.folder)
    for secret in ({}, {"csrf": "0" * 64}):
        answer = browser.post(address, {"name": "new", "compound": "A", "smiles": "C", **secret}, csrf=False)
        assert (answer.status, "GP-B005" in answer.text) == (403, True)
    assert everything_in(bench.workspace.folder) == before


def test_a_body_that_is_too_large_is_refused_by_its_head_and_by_its_bytes(bench, browser):
    about = {"origin": f"http://{HOST}", "content-type": "application/x-www-form-urlencoded"}
    for length in (str(MOST_BODY + 1), "-1", "1e9", "9" * 40):
        answer = browser.ask("POST", "/projects", b"", {**about, "content-length": length})
        assert (answer.status, "GP-B006" in answer.text) == (413, True)
    chunks = [b"a=" + b"x" * (MOST_BODY // 4)] * 5
    answer = browser.ask("POST", "/projects", headers=about, chunks=chunks)
    assert answer.status in (413, 422)
    assert browser.bench.workspace.projects() == ()


def test_other_methods_are_refused(browser):
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "X" * 500):
        answer = browser.ask(method, "/", headers={"origin": f"http://{HOST}"})
        assert (answer.status, "GP-B008" in answer.text) == (405, True)
    assert browser.get("/projects").status == 405


def test_every_answer_has_the_headers_that_keep_it_in_its_frame(browser, bench):
    for answer in (
        browser.get("/"),
        browser.get("/nowhere"),
        browser.get("/static/app.js"),
        Browser(bench).get("/"),
    ):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-frame-options"] == "DENY"


def test_no_folder_is_listed_and_no_file_beside_the_list_is_served(browser):
    for address in (
        "/static/",
        "/static",
        "/static/../guard.py",
        "/static/%2e%2e/guard.py",
        "/static/app.css.bak",
    ):
        answer = browser.get(address)
        assert (answer.status, "GP-B007" in answer.text) == (404, True)


def test_a_program_gets_an_error_as_json(browser):
    assert browser.get("/p/none", accept="application/json").json()["error"]["code"] == "GP-B010"


def test_another_host_than_loopback_needs_to_be_known(tmp_path):
    with pytest.raises(InputError, match="GP-B041"):
        serving.listen(Choices(tmp_path, host="0.0.0.0"))
    ear = serving.listen(Choices(tmp_path, host="0.0.0.0", knows=True))
    taken = ear.getsockname()[1]
    ear.listen()
    with pytest.raises(EnvironmentProblemError, match="GP-B042"):
        serving.listen(Choices(tmp_path, port=taken))
    ear.close()


def test_behind_a_proxy_only_its_host_is_answered(tmp_path):
    bench = serving.bench_of(Choices(tmp_path, public="Bench.example.org"), 4000)
    assert bench.session.hosts == {"bench.example.org"}
    assert bench.session.secure
    assert "127.0.0.1" in serving.bench_of(Choices(tmp_path), 80).session.hosts


def test_a_system_without_inherited_locks_is_told(monkeypatch):
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(EnvironmentProblemError, match="GP-B040"):
        serving.held.check_system()


def test_a_bug_of_ours_is_said_as_one_without_its_insides(browser, monkeypatch, capsys):
    monkeypatch.setattr(type(browser.bench.workspace), "projects", lambda _self: 1 / 0)
    answer = browser.get("/")
    assert (answer.status, "GP-B050" in answer.text) == (500, True)
    assert "division" not in answer.text
    assert "division" in capsys.readouterr().err
