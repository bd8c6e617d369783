"""What each kustomization is for, and what it lets in and out."""

import re
import tomllib

import yaml

from tests.support.manifests import COMPONENTS, Document, Render, environment, of_kind, pod_of, workload
from tests.support.prometheus_rule import FILE, RULES
from tests.support.prometheus_rule import rendered as prometheus_rule


def test_one_pod_owns_the_file_and_two_share_a_database(render: Render) -> None:
    one, two = (workload(render(overlay))["spec"] for overlay in ("base", "overlays/postgresql-ha"))
    assert (one["replicas"], one["strategy"]) == (1, {"type": "Recreate"})
    assert two["replicas"] == 2
    assert two["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    assert set(two["template"]["spec"]["affinity"]) == {"podAntiAffinity"}
    documents = render("overlays/postgresql-ha")
    (budget,) = of_kind(documents, "PodDisruptionBudget")
    assert budget["spec"]["maxUnavailable"] == 1
    given = environment(documents)
    assert given["DATABASE_URL_FILE"] == "/run/secrets/reconciler/database-url"
    assert "DATABASE_URL" not in given
    ports = {port["port"] for policy in of_kind(documents, "NetworkPolicy") for port in _ports(policy, "egress")}
    assert 5432 in ports


def test_several_pods_share_a_database_and_read_their_routes_from_a_folder(render: Render) -> None:
    documents = render("overlays/several-pods")
    deployment = workload(documents)["spec"]
    assert deployment["replicas"] == 3
    assert deployment["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    pod = deployment["template"]["spec"]
    spread = pod["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spread] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    assert {each["whenUnsatisfiable"] for each in spread} == {"ScheduleAnyway"}
    assert of_kind(documents, "PodDisruptionBudget")
    assert of_kind(documents, "PersistentVolumeClaim") == []
    given = environment(documents)
    assert given["DATABASE_URL_FILE"] == "/run/secrets/reconciler/database-url"
    (mount,) = (mount for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == "routes")
    assert "subPath" not in mount, "the kubelet never updates a file that is mounted by itself"
    (volume,) = (volume for volume in pod["volumes"] if volume["name"] == "routes")
    (routes,) = (
        document
        for document in of_kind(documents, "ConfigMap")
        if document["metadata"]["name"] == volume["configMap"]["name"] == "reconciler-routes"
    )
    (name,) = routes["data"]
    assert given["ROUTES_FILE"] == f"{mount['mountPath']}/{name}"
    assert len(tomllib.loads(routes["data"][name])["routes"]) == 3


def test_an_account_in_the_eu_has_both_addresses_there(render: Render) -> None:
    given = environment(render("overlays/eu"))
    assert re.findall(r"https://api\.eu\.\w+\.com", " ".join(given.values())) == [
        given["OPSGENIE_API_URL"],
        given["PAGERDUTY_API_URL"],
    ]


def test_the_cronjob_runs_one_at_a_time_as_the_daemons_pod_would(render: Render) -> None:
    job = workload(render("overlays/cronjob"))
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert job["spec"]["startingDeadlineSeconds"] == 60
    assert job["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 600
    assert job["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0
    pod, daemon = (pod_of(document)["spec"] for document in (job, workload(render("base"))))
    (container,), (other,) = pod["containers"], daemon["containers"]
    assert container["args"] == ["once"]
    for name in ("image", "envFrom", "volumeMounts", "securityContext", "resources"):
        assert container[name] == other[name]
    listens = {"HTTP_LISTEN", "STATUS_LISTEN"}
    assert container["env"] == [item for item in other["env"] if item["name"] not in listens]


def _ports(policy: Document, direction: str) -> list[Document]:
    return [port for rule in policy["spec"].get(direction, []) for port in rule["ports"]]


def test_only_dns_and_https_go_out_and_nothing_comes_in(render: Render) -> None:
    (policy,) = of_kind(render("base"), "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert policy["spec"]["ingress"] == []
    names, addresses = policy["spec"]["egress"]
    assert {(port["protocol"], port["port"]) for port in names["ports"]} == {("UDP", 53), ("TCP", 53)}
    assert addresses["ports"] == [{"protocol": "TCP", "port": 443}]
    for target in addresses["to"]:
        assert target["ipBlock"]["except"], "the cluster's own addresses are left out"
    scraped = of_kind(render("base", *COMPONENTS), "NetworkPolicy")
    assert [port for found in scraped for port in _ports(found, "ingress")] == [
        {"protocol": "TCP", "port": "http"}
    ]


def test_with_cilium_nothing_goes_out_but_by_name(render: Render) -> None:
    documents = render("base", "components/cilium")
    (policy,) = of_kind(documents, "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert policy["spec"]["egress"] == []
    (by_name,) = of_kind(documents, "CiliumNetworkPolicy")
    hosts = [name["matchName"] for rule in by_name["spec"]["egress"] for name in rule.get("toFQDNs", [])]
    assert hosts == ["api.pagerduty.com", "api.eu.pagerduty.com", "api.opsgenie.com", "api.eu.opsgenie.com"]


def test_the_operators_rules_are_those_of_prometheus() -> None:
    rules = RULES.read_text(encoding="utf-8")
    assert FILE.read_text(encoding="utf-8") == prometheus_rule(rules), "run `make examples`"
    assert yaml.safe_load(FILE.read_text(encoding="utf-8"))["spec"] == yaml.safe_load(rules)
