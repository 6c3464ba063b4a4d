"""deploy/kubernetes, as kubectl renders it: valid, locked down, and one with docker-compose.yml."""

import json
import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from htag_stack.settings import Settings
from tests.stack.manifests import FOLDER, PROBE, Resource, find, rendered
from tests.stack.nginx_container import nginx
from tests.stack.stopping import GRACEFUL
from tests.support.engine import composed
from tests.support.source import ROOT

RENDERED = ["base", *(f"overlays/{path.name}" for path in sorted((FOLDER / "overlays").iterdir()))]
VERSIONS = ["1.37.0", "1.36.0", "1.35.0"]  # of the schema: the newest, and two older
FOREIGN = {"HTTPRoute"}  # kinds that Kubernetes itself does not know, so there is no schema here
SERVICES = ("nginx", "app", "valkey", "prometheus")  # Grafana: docs/kubernetes.md
# What Kubernetes sets otherwise than Compose: names, and the secret, which is a Secret.
OTHERWISE = {
    "app": {"HTAG_STORE": "valkey://htag-valkey:6379/0", "HTAG_SECRET_FILE": "/run/secrets/htag/secret"},
}
ABSENT = {"HTAG_SECRET"}


def workloads(folder: str = "base") -> dict[str, Resource]:
    """The Deployments and StatefulSets, by Compose's names of the services."""
    kinds = ("Deployment", "StatefulSet")
    return {item["metadata"]["name"][5:]: item for item in rendered(folder) if item["kind"] in kinds}


def pod(name: str, folder: str = "base") -> Resource:
    spec: Resource = workloads(folder)[name]["spec"]["template"]["spec"]
    return spec


def container(name: str, folder: str = "base") -> Resource:
    [only] = pod(name, folder)["containers"]
    found: Resource = only
    return found


def settings(folder: str = "base") -> dict[str, str]:
    [found] = [item["data"] for item in rendered(folder) if item["kind"] == "ConfigMap"]
    data: dict[str, str] = found
    return data


def environment(name: str, folder: str = "base") -> dict[str, str | None]:
    """The variables of a container, as far as they are known before it runs."""
    found = container(name, folder)
    variables: dict[str, str | None] = dict(settings(folder)) if found.get("envFrom") else {}
    for variable in found.get("env", []):
        key = variable.get("valueFrom", {}).get("configMapKeyRef", {}).get("key")
        variables[variable["name"]] = settings(folder)[key] if key else variable.get("value")
    return variables


@pytest.fixture(scope="module")
def compose(engine: None) -> dict[str, Any]:
    services: dict[str, Any] = composed()["services"]
    return services


# valid


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", RENDERED)
def test_it_is_valid_to_the_letter(folder: str, version: str) -> None:
    for item in rendered(folder):
        if item["kind"] not in FOREIGN:
            kubernetes_validate.validate(item, version, strict=True)


def test_the_newest_schema_is_among_them() -> None:
    assert VERSIONS[0] == kubernetes_validate.latest_version()


def test_a_misspelt_field_would_be_seen() -> None:
    deployment = json.loads(json.dumps(find("Deployment", "htag-app")))
    deployment["spec"]["template"]["spec"]["terminationGracePeriodSecond"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, VERSIONS[0], strict=True)


@pytest.mark.parametrize("folder", RENDERED)
def test_selectors_choose_what_they_mean(folder: str) -> None:
    pods = [item["spec"]["template"]["metadata"]["labels"] for item in workloads(folder).values()]
    for item in rendered(folder):
        spec = item.get("spec", {})
        selector = spec.get("podSelector") or spec.get("selector") or {}
        if item["kind"] in ("Service", "PodDisruptionBudget", "NetworkPolicy", "Deployment", "StatefulSet"):
            labels = selector.get("matchLabels", selector)
            assert [pod for pod in pods if labels.items() <= pod.items()], item["metadata"]["name"]


# one with Compose


@pytest.mark.parametrize("name", SERVICES)
def test_every_setting_is_as_in_compose(compose: dict[str, Any], name: str) -> None:
    theirs = {**(compose[name].get("environment") or {}), **OTHERWISE.get(name, {})}
    ours = environment(name)
    assert {key: ours.get(key) for key in theirs} == {key: None if key in ABSENT else theirs[key] for key in theirs}


def test_the_file_of_settings_has_no_other(compose: dict[str, Any]) -> None:
    known = {key for service in compose.values() for key in service.get("environment") or {}}
    assert set(settings()) <= known


@pytest.mark.parametrize("name", SERVICES)
def test_images_limits_and_commands_are_as_in_compose(compose: dict[str, Any], name: str) -> None:
    ours, theirs = container(name), compose[name]
    assert ours["image"] == theirs["image"]
    limits = theirs["deploy"]["resources"]["limits"]
    assert _bytes(ours["resources"]["limits"]["memory"]) == int(limits["memory"])
    assert float(ours["resources"]["limits"].get("cpu", 0)) == float(limits.get("cpus", 0))
    command = [*(theirs.get("entrypoint") or []), *(theirs.get("command") or [])]
    assert [*ours.get("command", []), *ours.get("args", [])] == command


@pytest.mark.parametrize("name", SERVICES)
def test_a_pod_has_compose_s_time_to_end_and_its_own_before_that(compose: dict[str, Any], name: str) -> None:
    whole = pod(name)["terminationGracePeriodSeconds"]
    assert whole - _pre_stop(name) == int(compose[name]["stop_grace_period"].removesuffix("s"))


def test_who_stops_waits_for_those_inside() -> None:
    assert pod("app")["terminationGracePeriodSeconds"] - _pre_stop("app") > GRACEFUL
    assert pod("app")["terminationGracePeriodSeconds"] < pod("nginx")["terminationGracePeriodSeconds"]


def test_the_ports_are_compose_s(compose: dict[str, Any]) -> None:
    [published] = compose["nginx"]["ports"]
    assert [port["containerPort"] for port in container("nginx")["ports"]] == [published["target"]]
    assert find("Service", "htag")["spec"]["ports"][0]["targetPort"] == container("nginx")["ports"][0]["name"]
    assert container("app")["ports"] == [{"name": "slot-1", "containerPort": 8001}]


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("folder", RENDERED)
def test_nginx_starts_with_these_settings(folder: str) -> None:
    told = {key: (value or "").replace("$(NAMESPACE)", "shop") for key, value in environment("nginx", folder).items()}
    done = nginx("-T", **told)
    assert done.returncode == 0, done.stderr
    assert "server htag-app.shop.svc.cluster.local:8002 resolve" in done.stdout


# locked down


@pytest.mark.parametrize("name", SERVICES)
def test_every_pod_is_locked_down(name: str) -> None:
    spec, only = pod(name), container(name)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not any(spec.get(shared) for shared in ("hostNetwork", "hostPID", "hostIPC"))
    assert {"name": "tmp", "mountPath": "/tmp"} in only["volumeMounts"]


def test_users_are_those_of_the_images() -> None:
    users = {"app": "Dockerfile", "nginx": "nginx/Dockerfile"}
    for name, file in users.items():
        last = re.findall(r"^USER (\d+)", (ROOT / file).read_text(), re.MULTILINE)[-1]
        assert pod(name)["securityContext"]["runAsUser"] == int(last)


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_of_the_namespace_becomes_a_setting(name: str) -> None:
    """Kubernetes would set HTAG_PORT=tcp://… for a Service named htag."""
    assert pod(name)["enableServiceLinks"] is False


@pytest.mark.parametrize("folder", RENDERED)
def test_pods_see_only_their_neighbours(folder: str) -> None:
    policies = {item["metadata"]["name"]: item["spec"] for item in rendered(folder) if item["kind"] == "NetworkPolicy"}
    closed = policies["htag-nothing-else"]
    assert "ingress" not in closed
    chosen = closed["podSelector"]["matchLabels"].items()
    for workload in workloads(folder).values():
        assert chosen <= workload["spec"]["template"]["metadata"]["labels"].items()
    assert _sources(policies["htag-app"]) == {"htag-nginx", "htag-app", "htag-prometheus"}
    if "htag-valkey" in policies:
        assert _sources(policies["htag-valkey"]) == {"htag-app"}
    slots = {"port": 8001, "endPort": 8000 + Settings.model_fields["workers"].metadata[1].le}
    assert policies["htag-app"]["ingress"][0]["ports"] == [slots]


# available


def test_more_than_one_nginx_and_none_is_missed_in_an_update() -> None:
    assert workloads()["nginx"]["spec"]["replicas"] >= 2
    for name in ("nginx", "app"):
        assert workloads()[name]["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        assert find("PodDisruptionBudget", f"htag-{name}")["spec"]["maxUnavailable"] == 1


@pytest.mark.parametrize("kind", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_probes_ask_every_slot(kind: str) -> None:
    probe = container("app")[kind]
    assert probe["exec"]["command"] == ["sh", "-c", PROBE]
    assert PROBE in (ROOT / "Dockerfile").read_text()
    if kind == "livenessProbe":
        gunicorn = re.search(r"^timeout = (\d+)", (ROOT / "app/htag_stack/gunicorn_conf.py").read_text(), re.MULTILINE)
        assert gunicorn
        assert probe["failureThreshold"] * probe["periodSeconds"] > 2 * int(gunicorn[1])


def test_nginx_and_prometheus_ask_for_every_pod() -> None:
    assert find("Service", "htag-app")["spec"]["clusterIP"] == "None"
    for name, variable in (("nginx", "NGINX_APP_HOST"), ("prometheus", "APP_HOST")):
        assert environment(name)[variable] == "htag-app.$(NAMESPACE).svc.cluster.local"


# overlays


def test_an_edge_with_tls_is_believed_and_makes_cookies_secure() -> None:
    for folder in ("overlays/ingress", "overlays/gateway"):
        told = environment("nginx", folder)
        assert told["NGINX_COOKIE_SECURE"] == "on"
        assert told["NGINX_TRUSTED_PROXIES"]
        assert settings(folder).keys() == settings().keys()
    [path] = find("Ingress", "htag", "overlays/ingress")["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": "htag", "port": {"name": "http"}}
    [rule] = find("HTTPRoute", "htag", "overlays/gateway")["spec"]["rules"]
    assert rule["backendRefs"] == [{"name": "htag", "port": find("Service", "htag")["spec"]["ports"][0]["port"]}]
    assert rule["timeouts"] == {"request": "0s"}


def test_with_a_valkey_of_one_s_own_there_is_none_of_ours() -> None:
    folder = "overlays/own-valkey"
    assert not [item for item in rendered(folder) if "valkey" in item["metadata"]["name"]]
    [store] = [variable for variable in container("app", folder)["env"] if variable["name"] == "HTAG_STORE"]
    assert store["valueFrom"] == {"secretKeyRef": {"name": "htag-store", "key": "store"}}


def test_the_autoscaling_example_asks_for_what_there_is() -> None:
    scaled = yaml.safe_load((FOLDER / "examples/autoscaling.yaml").read_text())
    target = scaled["spec"]["scaleTargetRef"]
    assert find(target["kind"], target["name"])
    [trigger] = scaled["spec"]["triggers"]
    metric = re.search(r"htag_\w+", trigger["metadata"]["query"])
    assert metric
    assert f'"{metric[0]}"' in (ROOT / "app/htag_stack/worker_state.py").read_text()
    service = find("Service", "htag-prometheus")
    assert f"//{service['metadata']['name']}." in trigger["metadata"]["serverAddress"]


def _pre_stop(name: str) -> int:
    command = container(name).get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
    assert command[0] == "sleep"
    return int(command[1])


def _bytes(quantity: str) -> int:
    return int(quantity[:-2]) * {"Mi": 1 << 20, "Gi": 1 << 30}[quantity[-2:]]


def _sources(policy: Resource) -> set[str]:
    [rule] = policy["ingress"]
    return {source["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for source in rule["from"]}
