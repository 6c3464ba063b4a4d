"""nginx with NGINX_TLS=on: what it refuses at start, and what it offers to those who connect."""

import os
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.stack.nginx_container import IMAGE, arguments
from tests.support.engine import docker, run
from tests.support.machine import give_up
from tests.support.source import ROOT
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("engine")

CERTIFICATE = "/etc/nginx/tls/certificate.pem"
KEY = "/etc/nginx/tls/key.pem"


@pytest.fixture(scope="module")
def folder(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a certificate, by `make certificate` under a umask that shuts everybody out."""
    folder = tmp_path_factory.mktemp("tls")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    made = run("sh", "-c", f"umask 077 && make --silent certificate TLS_DIR={folder}/made DOMAIN=www.example.org")
    assert made.returncode == 0, made.stderr
    return folder / "made"


def nginx(folder: Path, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    mount = f"--volume={folder}:/etc/nginx/tls:ro"
    return run("docker", "run", "--rm", mount, *arguments(**{"NGINX_TLS": "on", **settings}), IMAGE, "nginx", *command)


def test_the_made_certificate_is_accepted_whatever_the_umask(folder: Path) -> None:
    done = nginx(folder, "-T")
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr
    assert "listen 8443 ssl" in done.stdout
    assert (folder / "key.pem").stat().st_mode & 0o077 == 0


def test_the_hook_of_the_docs_makes_one_file_for_both(folder: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        give_up("certbot's hook is root's")
    [hook] = re.findall(r"<<'HOOK'\n(.*?)^    HOOK$", (ROOT / "docs/tls.md").read_text(), re.MULTILINE | re.DOTALL)
    for name, original in (("fullchain.pem", "certificate.pem"), ("privkey.pem", "key.pem")):
        shutil.copy(folder / original, tmp_path / name)
    served = tmp_path / "served"
    served.mkdir()
    for parent in (tmp_path, served):
        parent.chmod(0o755)
    script = textwrap.dedent(hook).replace("/srv/htag/tls", str(served))
    done = run("sh", "-c", script, env={"RENEWED_LINEAGE": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    both = "/etc/nginx/tls/site.pem"
    assert nginx(served, "-t", NGINX_TLS_CERTIFICATE=both, NGINX_TLS_KEY=both).returncode == 0
    assert (served / "site.pem").stat().st_mode & 0o077 == 0


def test_a_certificate_is_not_made_over_another(folder: Path) -> None:
    before = (folder / "certificate.pem").read_text()
    assert run("make", "--silent", "certificate", f"TLS_DIR={folder}").returncode != 0
    assert (folder / "certificate.pem").read_text() == before


def test_without_certificates_the_start_ends_with_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    done = nginx(tmp_path, "-t")
    assert done.returncode == 1
    reason = "cannot be read by uid 101: No such file or directory (docs/tls.md)."
    assert done.stderr.strip() == f"nginx: NGINX_TLS_CERTIFICATE, {CERTIFICATE}, {reason}"


def test_a_key_that_nginx_may_not_read_ends_the_start_with_one_sentence(folder: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "certificate.pem").write_bytes((folder / "certificate.pem").read_bytes())
    (tmp_path / "certificate.pem").chmod(0o644)
    (tmp_path / "key.pem").write_text("somebody else's")
    (tmp_path / "key.pem").chmod(0o600)
    done = nginx(tmp_path, "-t")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"nginx: NGINX_TLS_KEY, {KEY}, cannot be read by uid 101: Permission denied (docs/tls.md)."
    )


def test_a_key_of_another_certificate_ends_the_start_with_one_sentence(folder: Path) -> None:
    done = nginx(folder, "-t", NGINX_TLS_KEY=CERTIFICATE)
    assert done.returncode == 1
    [line] = done.stderr.strip().splitlines()
    assert line.startswith(
        "nginx: NGINX_TLS_CERTIFICATE and NGINX_TLS_KEY are not a pair: cannot load certificate key "
    )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"NGINX_TLS": "yes"}, "nginx: NGINX_TLS must be on or off, not 'yes'."),
        ({"NGINX_HTTPS_PORT": "https"}, "nginx: NGINX_HTTPS_PORT must be a whole number from 1 up, not 'https'."),
    ],
)
def test_a_bad_setting_ends_the_start_with_one_sentence(folder: Path, settings: dict[str, str], sentence: str) -> None:
    done = nginx(folder, "-t", **settings)
    assert (done.returncode, done.stderr.strip()) == (1, sentence)


@pytest.mark.parametrize(("port", "suffix"), [("443", ""), ("8443", ":8443")])
def test_the_redirect_names_the_port_unless_it_is_the_usual_one(folder: Path, port: str, suffix: str) -> None:
    rendered = nginx(folder, "-T", NGINX_HTTPS_PORT=port).stdout
    assert f"return 308 https://$host{suffix}$request_uri;" in rendered


def test_only_what_mozilla_calls_intermediate_is_offered(folder: Path) -> None:
    rendered = nginx(folder, "-T").stdout
    assert re.search(r"^ssl_protocols TLSv1.2 TLSv1.3;$", rendered, re.MULTILINE)
    ciphers = re.search(r"^ssl_ciphers (\S+);$", rendered, re.MULTILINE)
    assert ciphers
    assert all(re.fullmatch(r"ECDHE-(ECDSA|RSA)-.*(GCM-SHA\d+|POLY1305)", name) for name in ciphers[1].split(":"))


def test_a_renewal_that_nginx_cannot_use_is_told_and_what_people_ask_for_is_not(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert run("make", "--silent", "certificate", f"TLS_DIR={tmp_path}").returncode == 0
    mounted = [f"--volume={tmp_path}:/etc/nginx/tls:ro", "--publish=127.0.0.1::8443", *arguments(NGINX_TLS="on")]
    container = docker("run", "--detach", *mounted, IMAGE).strip()
    try:
        url = "https://" + docker("port", container, "8443").strip()
        _until_handshakes_succeed(url, True)
        (tmp_path / "fresh.pem").write_text("no key")
        (tmp_path / "fresh.pem").chmod(0o644)
        (tmp_path / "fresh.pem").rename(tmp_path / "key.pem")
        _until_handshakes_succeed(url, False)
        logged = run("docker", "logs", container)
        assert 'cannot load certificate key "/etc/nginx/tls/key.pem"' in logged.stderr
        assert "SECRET" not in logged.stdout + logged.stderr
    finally:
        docker("rm", "--force", container)


def test_without_it_there_is_plain_http_only() -> None:
    rendered = docker("run", "--rm", *arguments(), IMAGE, "nginx", "-T")
    listens = re.findall(r"^ *listen ([\d.:]+)", rendered, re.MULTILINE)
    assert sorted(listens) == ["127.0.0.1:8081", "8080"]


def test_the_settings_are_documented() -> None:
    for file in (".env.example", "docs/configuration.md"):
        text = (ROOT / file).read_text()
        assert all(name in text for name in ("TLS_DIR", "TLS_CERTIFICATE", "TLS_KEY", "HTTPS_PORT")), file


def _until_handshakes_succeed(url: str, wanted: bool) -> None:
    def is_so() -> bool:
        return (run("curl", "--silent", "--insecure", f"{url}/?SECRET").returncode == 0) == wanted

    eventually(is_so, "connections to become " + ("possible" if wanted else "impossible"))
