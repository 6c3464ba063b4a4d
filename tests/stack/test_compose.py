"""docker-compose.yml, as Docker Compose understands it."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from htag_stack.settings import Settings
from htag_stack.worker import SHUTDOWN_SECONDS
from tests.stack.old_engine import old_engine
from tests.stack.stopping import GRACEFUL
from tests.support.engine import composed, docker, run
from tests.support.source import ROOT

SERVICES = ("nginx", "app", "valkey", "prometheus", "grafana")


@pytest.fixture(scope="session")
def compose(engine: None) -> dict[str, Any]:
    """With no setting but the defaults."""
    return composed()


def test_the_services(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_locked_down(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert "container_name" not in service  # or it could not be scaled
    limits = service["deploy"]["resources"]["limits"]
    assert int(limits["memory"]) > 0
    assert limits["pids"] > 0
    assert service["restart"] == "unless-stopped"


PINNED = r"[\w./-]+:v?\d+\.\d+[\w.-]*"


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    if "build" not in service:
        assert re.fullmatch(PINNED, service["image"])
        return
    dockerfile = (Path(service["build"]["context"]) / "Dockerfile").read_text()
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert bases
    assert all(re.fullmatch(PINNED, base) for base in bases)
    assert service["image"] == f"htag-{'stack' if name == 'app' else name}:dev"


@pytest.mark.parametrize("name", ["nginx", "valkey", "prometheus", "grafana"])
def test_every_service_is_checked_for_health(compose: dict[str, Any], name: str) -> None:
    assert compose["services"][name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", SERVICES)
def test_logs_are_bounded(compose: dict[str, Any], name: str) -> None:
    logging = compose["services"][name]["logging"]
    assert logging == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}


def test_engines_from_20_10_on_will_do(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert "start_interval" not in service.get("healthcheck", {}), name  # engine 25
    assert not re.search(r"^HEALTHCHECK.*start-interval", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert "Docker Engine 20.10" in (ROOT / "README.md").read_text()


def test_an_engine_of_debian_12_can_make_the_containers(engine: None, tmp_path: Path) -> None:
    settings = {"COMPOSE_PROJECT_NAME": f"htag-old-{os.getpid()}", "HTAG_VERSION": "old"}
    compose = ("docker", "compose", "--env-file", "/dev/null")
    run(*compose, "build", "app", "nginx", "prometheus", env=settings)
    with old_engine(tmp_path, b"1.41") as address:  # what Docker Engine 20.10 speaks
        old = {**settings, "DOCKER_HOST": address}
        assert run("docker", "version", "--format", "{{.Server.APIVersion}}", env=old).stdout == "1.41\n"
        try:
            made = run(*compose, "up", "--no-start", "app", "nginx", "valkey", "prometheus", env=old)
            assert made.returncode == 0, made.stderr
        finally:
            run(*compose, "down", "--volumes", "--rmi", "local", env=settings)


def test_nothing_of_ours_is_mounted(compose: dict[str, Any]) -> None:
    """Files of the checkout have the checkout's modes: what the containers need is in their images."""
    mounted = {
        (name, volume["source"])
        for name, service in compose["services"].items()
        for volume in service.get("volumes", [])
        if volume["type"] == "bind"
    }
    assert mounted == {("app", str(ROOT / "apps"))}


def test_the_number_of_containers_is_a_setting(engine: None) -> None:
    for containers in (1, 3):
        settings = {"HTAG_CONTAINERS": str(containers)} if containers > 1 else {}
        printed = docker("compose", "--env-file", "/dev/null", "config", "--format", "json", env=settings)
        assert json.loads(printed)["services"]["app"]["deploy"]["replicas"] == containers


def test_nginx_is_told_all_that_its_start_up_hook_reads(compose: dict[str, Any]) -> None:
    hook = (ROOT / "nginx/15-htag.envsh").read_text()
    read = set(re.findall(r'"\$\{(\w+):=', hook))
    fixed = {"NGINX_APP_HOST", "NGINX_APP_PORT"}  # Compose's service is `app`
    fixed |= {"NGINX_TLS_CERTIFICATE", "NGINX_TLS_KEY", "NGINX_ACME_FOLDER", "NGINX_HTTPS_PORT"}  # deploy/tls.yml's
    assert read - fixed <= set(compose["services"]["nginx"]["environment"])
    documented = (ROOT / "docs/configuration.md").read_text() + (ROOT / ".env.example").read_text()
    for name in read - fixed - {"NGINX_PUBLIC_PORT"}:  # Compose's HTTP_PORT
        assert documented.count(name) >= 2, name


def test_nginx_and_the_app_have_the_same_prefix_and_cookie(engine: None) -> None:
    settings = {"HTAG_ROOT_PATH": "/demo", "HTAG_COOKIE_NAME": "shop", "HTTP_PORT": "127.0.0.1:8099"}
    printed = docker("compose", "--env-file", "/dev/null", "config", "--format", "json", env=settings)
    services = json.loads(printed)["services"]
    assert {services[name]["environment"]["HTAG_ROOT_PATH"] for name in ("nginx", "app")} == {"/demo"}
    assert {services[name]["environment"]["HTAG_COOKIE_NAME"] for name in ("nginx", "app")} == {"shop"}
    assert services["nginx"]["environment"]["NGINX_PUBLIC_PORT"] == "127.0.0.1:8099"
    [port] = services["nginx"]["ports"]
    assert (port["host_ip"], port["published"], port["target"]) == ("127.0.0.1", "8099", 8080)


@pytest.mark.parametrize("name", ["valkey", "prometheus", "grafana"])
def test_images_that_might_start_as_root_do_not(compose: dict[str, Any], name: str) -> None:
    assert compose["services"][name]["user"] not in ("", "0", "root")


def test_only_nginx_is_public_and_only_the_monitors_are_on_loopback(compose: dict[str, Any]) -> None:
    published = {
        name: (port.get("host_ip"), int(port["published"]), port["target"])
        for name, service in compose["services"].items()
        for port in service.get("ports", [])
    }
    assert published == {
        "nginx": (None, 8080, 8080),
        "grafana": ("127.0.0.1", 3000, 3000),
        "prometheus": ("127.0.0.1", 9090, 9090),
    }


def test_services_start_after_what_they_need_is_healthy(compose: dict[str, Any]) -> None:
    needs = {
        name: {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
        for name, service in compose["services"].items()
    }
    assert needs["nginx"] == {"app": "service_healthy"}
    assert needs["app"] == {"valkey": "service_healthy"}
    assert needs["grafana"] == {"prometheus": "service_healthy"}


def test_who_stops_waits_for_those_inside(compose: dict[str, Any]) -> None:
    app, nginx = (_seconds(compose["services"][name]["stop_grace_period"]) for name in ("app", "nginx"))
    assert SHUTDOWN_SECONDS < GRACEFUL < app < nginx
    config = (ROOT / "nginx/nginx.conf").read_text()
    patience = re.search(r"worker_shutdown_timeout (\d+)s;", config)
    assert patience
    assert int(patience[1]) < nginx


def test_neighbours_only(compose: dict[str, Any]) -> None:
    networks = {name: set(service["networks"]) for name, service in compose["services"].items()}
    assert networks["nginx"] & networks["app"] == {"web"}
    assert networks["app"] & networks["valkey"] == {"store"}
    assert networks["app"] & networks["prometheus"] == {"metrics"}
    for one, other in (("nginx", "valkey"), ("nginx", "prometheus"), ("grafana", "app"), ("grafana", "valkey")):
        assert not networks[one] & networks[other]
    assert compose["networks"]["store"]["internal"] is True
    assert compose["networks"]["metrics"]["internal"] is True


def test_all_who_count_slots_count_the_same(compose: dict[str, Any]) -> None:
    counts = {
        name: compose["services"][name]["environment"]["WEB_CONCURRENCY"] for name in ("nginx", "app", "prometheus")
    }
    assert counts == {"nginx": "2", "app": "2", "prometheus": "2"}


def test_every_setting_of_the_app_can_be_given_to_compose(compose: dict[str, Any]) -> None:
    fixed = {"HTAG_HOST", "HTAG_PORT"}  # the image's: nginx and Prometheus count on them
    known = {Settings.variable(name) for name in Settings.model_fields}
    given = set(compose["services"]["app"]["environment"])
    assert known - fixed == given


def test_the_limits_of_open_files_carry_the_connections(compose: dict[str, Any]) -> None:
    connections = re.search(r"worker_connections (\d+);", (ROOT / "nginx/nginx.conf").read_text())
    assert connections
    assert compose["services"]["nginx"]["ulimits"]["nofile"] > int(connections[1])
    assert compose["services"]["app"]["ulimits"]["nofile"] >= 2 * Settings.model_fields["max_sessions"].default


def _seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))
