"""deploy/swarm.yml is docker-compose.yml, as far as a swarm understands it."""

from typing import Any

import pytest
import yaml

from tests.support.engine import composed, docker
from tests.support.source import ROOT

SERVICES = ("nginx", "app", "valkey", "prometheus")  # Grafana would be public: docs/swarm.md
# What a swarm sets otherwise, and why: the secret is a Docker secret; every task's name in the DNS.
OTHERWISE = {
    "app": {"HTAG_SECRET": None, "HTAG_SECRET_FILE": "/run/secrets/htag_secret"},
    "prometheus": {"APP_HOST": "tasks.app"},
}


@pytest.fixture(scope="module")
def compose(engine: None) -> dict[str, Any]:
    services: dict[str, Any] = composed()["services"]
    return services


@pytest.fixture(scope="module")
def swarm(engine: None) -> dict[str, Any]:
    """As `docker stack` understands it, with no setting but the defaults."""
    services: dict[str, Any] = yaml.safe_load(docker("stack", "config", "--compose-file", "deploy/swarm.yml"))[
        "services"
    ]
    return services


def test_the_services(swarm: dict[str, Any]) -> None:
    assert set(swarm) == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_every_setting_is_as_in_compose(compose: dict[str, Any], swarm: dict[str, Any], name: str) -> None:
    theirs = {**(compose[name].get("environment") or {}), **OTHERWISE.get(name, {})}
    assert swarm[name].get("environment", {}) == {key: value for key, value in theirs.items() if value is not None}


@pytest.mark.parametrize("name", SERVICES)
def test_it_is_locked_down_and_limited_as_in_compose(compose: dict[str, Any], swarm: dict[str, Any], name: str) -> None:
    theirs, ours = compose[name], swarm[name]
    for key in ("cap_drop", "read_only", "stop_grace_period", "user", "entrypoint", "command"):
        assert ours.get(key) == theirs.get(key), key
    limits, own = theirs["deploy"]["resources"]["limits"], ours["deploy"]["resources"]["limits"]
    assert {key: float(value) for key, value in own.items()} == {key: float(value) for key, value in limits.items()}
    assert ours.get("ulimits", {}).get("nofile") == theirs.get("ulimits", {}).get("nofile")
    assert (ours.get("healthcheck") or {}).get("test") == (theirs.get("healthcheck") or {}).get("test")
    assert {"type": "tmpfs", "target": "/tmp"} in ours["volumes"]
    assert set(ours["networks"]) == set(theirs["networks"]) - {"public"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_task_has_an_address_of_its_own(swarm: dict[str, Any], name: str) -> None:
    assert swarm[name]["deploy"]["endpoint_mode"] == "dnsrr"
    assert all(port["mode"] == "host" for port in swarm[name].get("ports", []))


def test_images_are_those_that_compose_builds_or_names(compose: dict[str, Any], swarm: dict[str, Any]) -> None:
    built = {"app": "htag-stack:dev", "nginx": "htag-nginx:dev", "prometheus": "htag-prometheus:dev"}
    assert {name: swarm[name]["image"] for name in SERVICES} == {**built, "valkey": compose["valkey"]["image"]}
    assert all((ROOT / folder / "Dockerfile").exists() for folder in (".", "nginx", "monitoring/prometheus"))
