"""What docker-compose.yml promises, read from what docker-compose makes of it."""

from __future__ import annotations

import re

import pytest

from tests.deploy.compose import ROOT, SECRETS, Compose, Service, dockerfile_stages, dump, read_compose

ONE_SHOT = {"migrate", "seed"}
APP = {"web", "live", "worker", "beat", "watch", "migrate"}
STORES = {"postgres", "redis"}
INSIDE = {"front", "back"}


@pytest.fixture(scope="module")
def compose() -> Compose:
    return read_compose()


@pytest.fixture(params=sorted(APP | STORES | {"proxy", "dovecot", "seed"}))
def service(request: pytest.FixtureRequest, compose: Compose) -> Service:
    return compose.services[request.param]


def test_file_is_valid_without_a_warning(compose: Compose) -> None:
    assert not compose.warnings
    assert set(compose.services) == APP | STORES | {"proxy", "dovecot", "seed"}


def test_demo_is_started_only_when_asked_for(compose: Compose) -> None:
    assert {name for name, service in compose.services.items() if service.raw.get("profiles")} == {"dovecot", "seed"}


def test_service_has_no_privilege(service: Service) -> None:
    user, group = service.raw["user"].split(":")
    assert int(user) > 0 and int(group) > 0
    assert service.raw["read_only"] is True
    assert service.raw["cap_drop"] == ["ALL"] and "cap_add" not in service.raw
    assert service.raw["security_opt"] == ["no-new-privileges:true"]
    assert not service.raw.get("privileged") and "network_mode" not in service.raw and "pid" not in service.raw


def test_service_can_write_to_memory_and_volumes_only(service: Service) -> None:
    assert any(entry.startswith("/tmp") for entry in service.raw["tmpfs"])
    for volume in service.raw.get("volumes", []):
        source, _, rest = volume.partition(":") if isinstance(volume, str) else (volume["source"], "", "")
        read_only = rest.endswith(":ro") if isinstance(volume, str) else volume.get("read_only", False)
        assert read_only or "/" not in source, f"{volume} is a directory of the host"


def test_service_comes_back_and_is_watched(service: Service) -> None:
    if service.name in ONE_SHOT:
        assert service.raw["restart"] == "no"
    else:
        assert service.raw["restart"] == "unless-stopped"
        assert service.health_check


def test_only_the_proxy_can_be_reached(service: Service) -> None:
    assert bool(service.raw.get("ports")) == (service.name == "proxy")


def test_networks_keep_the_stores_inside(compose: Compose) -> None:
    networks = compose.raw["networks"]
    assert {name for name, network in networks.items() if (network or {}).get("internal")} == INSIDE
    for service in compose.services.values():
        assert service.networks <= set(networks)
    for name in STORES:
        assert compose.services[name].networks == {"back"}
    assert "back" not in compose.services["proxy"].networks


def test_secrets_come_from_files(service: Service, compose: Compose) -> None:
    for name, value in service.environment.items():
        if name.endswith("_FILE"):
            assert value.startswith(f"{SECRETS}/")
            assert value.removeprefix(f"{SECRETS}/") in service.secrets
        assert not re.search(r"SECRET|PASSWORD|_KEY|_URL", name) or name.endswith("_FILE")
    assert service.secrets <= set(compose.raw["secrets"])


def test_every_secret_is_somebodys(compose: Compose) -> None:
    used = set().union(*(service.secrets for service in compose.services.values()))
    assert used == set(compose.raw["secrets"])


@pytest.mark.parametrize("name", sorted(APP - {"migrate"}))
def test_product_waits_for_its_stores_and_tables(compose: Compose, name: str) -> None:
    conditions = {on: entry["condition"] for on, entry in compose.services[name].raw["depends_on"].items()}
    assert conditions == {
        "migrate": "service_completed_successfully",
        "postgres": "service_healthy",
        "redis": "service_healthy",
    }


def test_administrator_names_the_site() -> None:
    services = read_compose(SITE_HOST="mail.example.org", BRAND="Harbour Mail").services
    assert services["proxy"].environment["SITE_HOST"] == "mail.example.org"
    for name in APP:
        assert services[name].environment["ALLOWED_HOSTS"] == "mail.example.org"
        assert services[name].environment["BRAND"] == "Harbour Mail"


def test_every_image_is_built_here_or_has_a_version(compose: Compose) -> None:
    stages = dockerfile_stages()
    for service in compose.services.values():
        if "build" in service.raw:
            assert service.raw["build"]["target"] in stages
        else:
            assert re.search(r":\d", service.raw["image"]), service.raw["image"]


def test_image_takes_only_what_is_there() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for stage, instructions in dockerfile_stages().items():
        for instruction in instructions:
            if instruction.startswith("COPY ") and "--from=" not in instruction:
                for source in instruction.split()[1:-1]:
                    assert (ROOT / source).exists(), f"{stage} copies {source}"
                    assert f"!{source}" in ignored, f".dockerignore keeps {source} out"


def test_image_runs_as_nobody_in_particular() -> None:
    for stage in ("app", "proxy", "demo"):
        users = [line for line in dockerfile_stages()[stage] if line.startswith("USER ")]
        assert users[-1] in ("USER 10001:10001", "USER 10002:10002")


def test_final_images_hold_no_compiler() -> None:
    for stage in ("app", "proxy", "demo"):
        assert not re.search(r"build-essential|gcc|-dev\b", dump(dockerfile_stages()[stage]))
