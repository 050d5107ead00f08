"""Keys and signatures: who may sign, what is signed, and every way in which a signature is not one."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from glueprint.boundary import journal
from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.runs import audit, keys, ledger, records, signatures, store, verify


def write_key(path, secret=None, form=PrivateFormat.OpenSSH, key=None):
    key = key or Ed25519PrivateKey.generate()
    kept = BestAvailableEncryption(secret) if secret else NoEncryption()
    path.write_bytes(key.private_bytes(Encoding.PEM, form, kept))
    path.chmod(0o600)
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    path.with_suffix(".pub").write_text(f"{public} {path.stem}\n")
    return path


@pytest.fixture
def folder(tmp_path):
    """Results of one command, with their record."""
    out = tmp_path / "out"
    with journal.opened() as noted:
        store.write_file(out / "a.csv", "a\n")
        store.write_file(out / "b.csv", "b\n")
    records.leave(records.begun(("fit",), 1), noted, out, 0)
    return out


@pytest.fixture
def ada(tmp_path):
    return write_key(tmp_path / "Ada")


@pytest.fixture
def trusted(ada):
    return keys.trusted(ada.with_suffix(".pub"))


def wrong(folder, trusted=None):
    return {finding.file: finding.what for finding in audit.audit(folder, trusted).findings}


def test_a_signature_says_who_by_the_readers_own_list_and_as_what(folder, ada, trusted):
    path = audit.sign(folder, ada, "reviewer")
    verdict = audit.audit(folder, trusted)
    (one,) = verdict.signatures
    assert (one.by, one.meaning, one.file) == ("Ada", "reviewer", f"signatures/{path.name}")
    assert (verdict.origin, verdict.findings, verdict.unknown) == ("Ada as reviewer", (), ())
    about = json.loads(path.read_text())
    assert sorted(about["files"]) == ["a.csv", "b.csv", "record.json"]
    assert "Ada" not in path.read_text()  # no name in the folder is believed, so none is written
    # Without a list of keys the signature holds, and whose it is remains unknown.
    untold = audit.audit(folder)
    assert (untold.origin, untold.findings, untold.signatures[0].by) == ("unverified", (), "")


def test_an_approver_signs_the_reviewers_signature_too(folder, ada, trusted, tmp_path):
    first = audit.sign(folder, ada, "author")
    bob = write_key(tmp_path / "Bob")
    audit.sign(folder, bob, "approver")
    both = trusted | keys.trusted(bob.with_suffix(".pub"))
    assert audit.audit(folder, both).origin == "Bob as approver; Ada as author"
    first.unlink()
    assert wrong(folder, both) == {f"signatures/{first.name}": "is missing"}


@pytest.mark.parametrize(
    ("change", "file", "what"),
    [
        (lambda f: (f / "a.csv").write_text("b\n"), "a.csv", "was changed"),
        (lambda f: (f / "b.csv").unlink(), "b.csv", "is missing"),
        (lambda f: (f / "c.csv").write_text("c"), "c.csv", "no record vouches for it"),
        (lambda f: (f / "record.json").unlink(), "record.json", "is missing"),
        (
            lambda f: (f / "signatures/x.json").write_text("{}"),
            "signatures/x.json",
            "is not what its key signed",
        ),
    ],
)
def test_what_was_changed_after_signing_is_named(folder, ada, trusted, change, file, what):
    audit.sign(folder, ada, "author")
    change(folder)
    assert wrong(folder, trusted)[file] == what
    assert wrong(folder)[file] == what
    with pytest.raises(InputError, match="GP-R023") as caught:
        audit.sign(folder, ada, "approver")
    assert file in str(caught.value)


def test_the_records_rewritten_to_fit_are_found_by_the_signature_alone(folder, ada, trusted):
    audit.sign(folder, ada, "author")
    (folder / "record.json").unlink()
    with journal.opened() as noted:
        store.write_file(folder / "a.csv", "forged\n")
        store.write_file(folder / "b.csv", "b\n")
    records.leave(records.begun(("fit",), 1), noted, folder, 0)
    assert wrong(folder, trusted) == {
        "a.csv": "was changed after it was signed",
        "record.json": "was changed after it was signed",
    }
    assert wrong(folder)
    shutil.rmtree(folder / "signatures")
    assert wrong(folder) == {}  # nothing in the folder contradicts it ...
    assert audit.audit(folder).origin == "unverified"  # ... and nothing vouches for it
    assert wrong(folder, trusted) == {"signatures": "no signature of a trusted key"}


@pytest.mark.parametrize("field", ["meaning", "utc", "key", "files", "signature", "version"])
def test_no_letter_of_a_signature_can_be_changed(folder, ada, trusted, field, tmp_path):
    path = audit.sign(folder, ada, "reviewer")
    about = json.loads(path.read_text())
    other = {
        "meaning": "approver",
        "utc": "2020-01-01T00:00:00+00:00",
        "key": write_key(tmp_path / "x").with_suffix(".pub").read_text().rsplit(" ", 1)[0],
        "files": about["files"] | {"c.csv": "0" * 64},
        "signature": "A" * len(about["signature"]),
        "version": 2,
    }[field]
    made = signatures.Signature(**{**about, field: other})
    path.unlink()
    (folder / "signatures" / signatures._name(made)).write_text(signatures._text(made))
    assert wrong(folder, trusted)["signatures"] == "no signature of a trusted key"
    assert "is not what its key signed" in wrong(folder, trusted).values()


def test_a_signature_of_another_folder_vouches_for_nothing_here(folder, ada, trusted, tmp_path):
    audit.sign(folder, ada, "author")
    other = tmp_path / "other"
    with journal.opened() as noted:
        store.write_file(other / "a.csv", "another\n")
    records.leave(records.begun(("fit",), 1), noted, other, 0)
    shutil.copytree(folder / "signatures", other / "signatures")
    assert wrong(other, trusted)["a.csv"] == "was changed after it was signed"
    assert audit.audit(other, trusted).origin == "unverified"


def test_an_unfinished_or_unrecorded_folder_is_not_signed(folder, ada, tmp_path):
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match="GP-R013"):
        audit.sign(tmp_path / "bare", ada, "author")


@pytest.mark.parametrize("form", [PrivateFormat.OpenSSH, PrivateFormat.PKCS8])
def test_keys_in_both_forms_with_and_without_a_passphrase(folder, tmp_path, form):
    audit.sign(folder, write_key(tmp_path / "open", form=form), "author")
    if form is PrivateFormat.OpenSSH:
        pytest.importorskip("bcrypt")
    locked = write_key(tmp_path / "locked", b"secret", form)
    for given in (None, "wrong"):
        with pytest.raises(InputError, match="GP-R025"):
            audit.sign(folder, locked, "author", passphrase=given)
    audit.sign(folder, locked, "reviewer", passphrase="secret")
    assert len(audit.audit(folder).signatures) == 2


def test_what_is_no_key_of_ones_own_signs_nothing(folder, tmp_path, ada):
    curve = tmp_path / "curve"
    write = generate_private_key(SECP256R1()).private_bytes
    curve.write_bytes(write(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    text = tmp_path / "text"
    text.write_text("no key")
    for path in (curve, text):
        path.chmod(0o600)
    for path in (curve, text, tmp_path / "absent", tmp_path, ada.with_suffix(".pub")):
        if path.is_file():
            path.chmod(0o600)
        with pytest.raises(InputError, match="GP-R025"):
            audit.sign(folder, path, "author")
    ada.chmod(0o644)
    with pytest.raises(InputError, match="GP-R026"):
        audit.sign(folder, ada, "author")
    assert not signatures.are_in(folder)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nobody\n",
        "ssh-ed25519 AAAA Ada\n",
        "ssh-rsa AAAAB3NzaC1yc2E= Ada\n",
        "hello\n",
        "-----BEGIN PUBLIC KEY-----\nno\n-----END PUBLIC KEY-----\n",
    ],
)
def test_a_file_that_names_no_trusted_keys_is_refused(tmp_path, text):
    path = tmp_path / "trusted"
    path.write_text(text)
    with pytest.raises(InputError, match="GP-R027"):
        keys.trusted(path)


def test_a_list_of_trusted_keys(tmp_path, ada):
    line = ada.with_suffix(".pub").read_text()
    bare = line.rsplit(" ", 1)[0]
    path = tmp_path / "trusted"
    path.write_text(f"# the group\n\n{bare} Ada Lovelace, PhD\n{bare} Ada Lovelace, PhD\n")
    assert keys.trusted(path) == {bare: "Ada Lovelace, PhD"}
    for text in (f"{bare} Ada\n{bare} Bob\n", f"{bare}\n"):
        path.write_text(text)
        with pytest.raises(InputError, match="GP-R027"):
            keys.trusted(path)


def test_without_the_package_files_are_compared_and_trust_is_refused(folder, ada, trusted, monkeypatch):
    audit.sign(folder, ada, "author")
    monkeypatch.setattr(keys, "find_spec", lambda _: None)
    assert wrong(folder) == {}
    for needs in (
        lambda: audit.audit(folder, trusted),
        lambda: keys.trusted(ada.with_suffix(".pub")),
        lambda: audit.sign(folder, ada, "reviewer"),
    ):
        with pytest.raises(EnvironmentProblemError, match="GP-R024"):
            needs()
    (folder / "a.csv").write_text("x")
    assert wrong(folder) == {"a.csv": "was changed"}


@pytest.mark.parametrize("tool", ["ssh-keygen", "openssl"])
def test_keys_as_the_usual_tools_make_them(folder, tmp_path, tool):
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} here")
    key, public = tmp_path / "mykey", tmp_path / "mykey.pub"
    if tool == "ssh-keygen":
        words = [["-q", "-t", "ed25519", "-N", "", "-C", "Ada", "-f", key]]
    else:
        words = [
            ["genpkey", "-algorithm", "ed25519", "-out", key],
            ["pkey", "-in", key, "-pubout", "-out", public],
        ]
    for line in words:
        subprocess.run([tool, *map(str, line)], check=True, capture_output=True)
    key.chmod(0o600)
    audit.sign(folder, key, "approver")
    name = "Ada" if tool == "ssh-keygen" else "mykey"
    assert audit.audit(folder, keys.trusted(public)).origin == f"{name} as approver"


@pytest.mark.parametrize(
    "changed",
    [
        {"key": 5},
        {"key": ["ssh-ed25519"]},
        {"key": "ssh-ed25519 AAAA"},
        {"signature": 5},
        {"signature": "not base64!"},
        {"signature": "AAAA"},
        {"files": ["a.csv"]},
        {"utc": {}},
        {"meaning": ["author"]},
        {"meaning": "owner"},
        {"kind": "glueprint-record"},
    ],
)
def test_a_forged_signature_of_any_shape_is_a_finding_and_no_crash(folder, ada, trusted, changed):
    path = audit.sign(folder, ada, "author")
    made = signatures.Signature(**{**json.loads(path.read_text()), **changed})
    path.unlink()
    name = signatures._name(made)
    place = folder / "signatures" / (name if isinstance(made.meaning, str) else "x.json")
    place.write_text(signatures._text(made))
    found = wrong(folder, trusted)
    assert found[f"signatures/{place.name}"] == "is not what its key signed"
    assert found["signatures"] == "no signature of a trusted key"


def test_no_changed_byte_of_a_signature_or_record_is_believed_and_none_ends_in_a_crash(folder, ada, trusted):
    path = audit.sign(folder, ada, "author")
    for place in (path, folder / "record.json"):
        content = place.read_bytes()
        for at in range(0, len(content), max(1, len(content) // 60)):
            for other in (content[:at] + bytes([content[at] ^ 5]) + content[at + 1 :], content[:at]):
                place.write_bytes(other)
                assert place.relative_to(folder).as_posix() in wrong(folder, trusted), at
        place.write_bytes(content)
    assert wrong(folder, trusted) == {}


def test_a_file_added_to_a_signed_run_is_named_once_whoever_asks(tmp_path, ada, trusted):
    folder = tmp_path / "run"
    folder.mkdir()
    ledger.append(folder, "begun", {"seed": 1})
    audit.sign(folder, ada, "author")
    (folder / "stray.txt").write_text("added")
    for asked in (audit.audit(folder, trusted), verify.verify(folder, trusted)):
        assert [finding.file for finding in asked.findings] == ["stray.txt"]
        assert asked.unknown == ()
