"""deploy/traefik.yml, as Docker Compose understands it beside docker-compose.yml."""

import re
from typing import Any

import pytest

from tests.support.engine import composed
from tests.support.source import ROOT

FILES = ["--file=docker-compose.yml", "--file=deploy/traefik.yml"]


def compose(*arguments: str, **settings: str) -> dict[str, Any]:
    """Its services, with no setting but these."""
    services: dict[str, Any] = composed(*FILES, *arguments, **settings)["services"]
    return services


@pytest.fixture(scope="module")
def services(engine: None) -> dict[str, Any]:
    return compose("--profile", "traefik")


@pytest.mark.usefixtures("engine")
def test_traefik_takes_nginx_s_place() -> None:
    assert set(compose()) == {"app", "valkey", "prometheus", "grafana"}


def test_a_container_has_one_slot_and_prometheus_knows(services: dict[str, Any]) -> None:
    counts = {services[name]["environment"]["WEB_CONCURRENCY"] for name in ("app", "prometheus")}
    assert counts == {"1"}
    assert services["app"]["labels"]["traefik.http.services.htag.loadbalancer.server.port"] == "8001"


def test_two_projects_behind_one_traefik_do_not_share_names(services: dict[str, Any]) -> None:
    other = compose(COMPOSE_PROJECT_NAME="shop")["app"]["labels"]
    ours = {label for label in services["app"]["labels"] if ".htag" in label}
    assert ours
    assert {label.replace(".shop", ".htag") for label in other if ".shop" in label} == ours


def test_a_rule_of_several_parts_stays_one(services: dict[str, Any]) -> None:
    rule = compose(TRAEFIK_RULE="Host(`a`) || Host(`b`)")["app"]["labels"]["traefik.http.routers.htag.rule"]
    assert rule.startswith("(Host(`a`) || Host(`b`)) && !PathRegexp(")


def test_the_traefik_for_trying_is_locked_down_and_sees_this_project_only(services: dict[str, Any]) -> None:
    service = services["traefik"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "--providers.docker.constraints=Label(`com.docker.compose.project`,`htag`)" in service["command"]


def test_the_settings_are_documented() -> None:
    used = set(re.findall(r"\$\{(TRAEFIK_\w+)", (ROOT / "deploy/traefik.yml").read_text()))
    for file in (".env.example", "docs/traefik.md"):
        assert used <= set(re.findall(r"TRAEFIK_[A-Z_]+", (ROOT / file).read_text())), file
