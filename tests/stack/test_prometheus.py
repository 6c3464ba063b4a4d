"""Prometheus: the scrape job for the slots, and the rules, through promtool."""

import contextlib
import re
import secrets
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.engine import docker, run
from tests.support.source import ROOT
from tests.support.waiting import eventually

IMAGE = "prom/prometheus:v3.5.3"
CONFIG = ROOT / "monitoring/prometheus"
RULES = [
    rule
    for file in sorted(CONFIG.glob("rules/*.yml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}


def container(entrypoint: str, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the image with the files where Compose mounts them."""
    environment = [f"--env={name}={value}" for name, value in settings.items()]
    mount = f"--volume={CONFIG}:/etc/prometheus:ro"
    locked = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"]
    return run("docker", "run", "--rm", *locked, mount, *environment, f"--entrypoint={entrypoint}", IMAGE, *command)


def start(*command: str, program: str = "promtool", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the image's start script, with another program in Prometheus's place."""
    return container("sh", "/etc/prometheus/start.sh", *command, PROMETHEUS=program, **settings)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("slots", [1, 2, 11])
def test_the_configuration_is_valid_and_has_one_entry_a_slot(slots: int) -> None:
    checked = start("check", "config", "/etc/prometheus/prometheus.yml", WEB_CONCURRENCY=str(slots))
    assert checked.returncode == 0, checked.stderr
    job = _slots_job(slots)
    assert [entry["port"] for entry in job["dns_sd_configs"]] == [8001 + index for index in range(slots)]
    assert {entry["type"] for entry in job["dns_sd_configs"]} == {"A"}


@pytest.mark.usefixtures("engine")
def test_the_slot_label_is_the_port_s_number() -> None:
    [rule] = _slots_job(1)["relabel_configs"]
    slots = [re.fullmatch(rule["regex"], f"172.18.0.2:{port}") for port in (8001, 8010, 8064)]
    assert [found and found[1] for found in slots] == ["1", "10", "64"]


@pytest.mark.usefixtures("engine")
def test_a_bad_number_of_workers_ends_the_start_with_one_sentence() -> None:
    done = start(WEB_CONCURRENCY="none")
    assert done.returncode == 1
    assert done.stderr.strip() == "prometheus: WEB_CONCURRENCY must be a whole number from 1 up, not 'none'."


@pytest.fixture
def prometheus(engine: None) -> Iterator[tuple[str, str]]:
    """Prometheus as Compose starts it, between the app's network and Grafana's, which are yielded."""
    name = f"prometheus-test-{secrets.token_hex(4)}"
    app, grafana = f"{name}-metrics", f"{name}-observation"
    with contextlib.ExitStack() as stack:
        for network, *options in ((app, "--internal"), (grafana,)):
            docker("network", "create", *options, network)
            stack.callback(docker, "network", "rm", network)
        alias = ["--network-alias=prometheus"]
        mount = f"--volume={CONFIG}:/etc/prometheus:ro"
        locked = ["--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--user=nobody"]
        where = ["--entrypoint=sh", f"--network={app}", *alias, IMAGE, "/etc/prometheus/start.sh"]
        command = ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/tmp/data"]
        docker("create", f"--name={name}", mount, *locked, *where, *command)
        stack.callback(docker, "rm", "--force", name)
        docker("network", "connect", "--alias=prometheus", grafana, name)
        docker("start", name)
        eventually(lambda: asks(f"container:{name}", "127.0.0.1"), lambda: docker("logs", name))
        yield app, grafana


def asks(network: str, host: str) -> bool:
    """Whether a container on `network` gets an answer from Prometheus at `host`."""
    command = ["wget", "-q", "-O", "/dev/null", "-T", "3", f"http://{host}:9090/-/ready"]
    return run("docker", "run", "--rm", f"--network={network}", "--entrypoint=busybox", IMAGE, *command).returncode == 0


def test_the_app_cannot_reach_prometheus_and_grafana_can(prometheus: tuple[str, str]) -> None:
    app, grafana = prometheus
    assert asks(grafana, "prometheus")
    assert not asks(app, "prometheus")


@pytest.mark.usefixtures("engine")
def test_the_rules_do_what_their_tests_say() -> None:
    checked = container("promtool", "check", "rules", *_inside("rules"))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = container("promtool", "test", "rules", *_inside("tests"))
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_alert_is_seen_to_fire_and_to_keep_quiet() -> None:
    cases = [
        case
        for file in CONFIG.glob("tests/*.yml")
        for test in yaml.safe_load(file.read_text())["tests"]
        for case in test.get("alert_rule_test", [])
    ]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == set(ALERTS)
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == set(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_names_its_section_of_the_runbook(name: str) -> None:
    file, _, anchor = ALERTS[name]["annotations"]["runbook"].partition("#")
    sections = re.findall(r"^## (\w+)$", (ROOT / file).read_text(), re.MULTILINE)
    assert anchor == name.lower()
    assert name in sections
    assert set(sections) == set(ALERTS)
    assert ALERTS[name]["labels"]["severity"] in ("critical", "warning", "notice")


def _slots_job(slots: int) -> dict[str, Any]:
    rendered = start("/tmp/htag.yml", program="cat", WEB_CONCURRENCY=str(slots))
    assert rendered.returncode == 0, rendered.stderr
    [job] = yaml.safe_load(rendered.stdout)["scrape_configs"]
    assert job["job_name"] == "htag"
    found: dict[str, Any] = job
    return found


def _inside(folder: str) -> list[str]:
    return [f"/etc/prometheus/{folder}/{file.name}" for file in sorted((CONFIG / folder).glob("*.yml"))]
