"""LocalStack's chaos API and the proxy's own, as their door answers them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from promtool import complaints, needs_promtool

from chaos.proxies.admin import AdminDoor, admin_path
from chaos.proxies.armed import MOST_KINDS
from chaos.proxies.request import ApiRequest
from chaos.proxies.rules import Rules

FAULTS = "/_localstack/chaos/faults"
EFFECTS = "/_localstack/chaos/effects"
RULES = "/_chaos/rules"
EAST = ApiRequest(region="us-east-1", service="s3", operation="ListObjectsV2")
WEST = ApiRequest(region="us-west-2", service="monitoring")
S3 = {"service": "s3", "region": "us-east-1"}
THROUGHPUT = {
    "service": "kinesis",
    "operation": "PutRecord",
    "probability": 0.3,
    "error": {"statusCode": 400, "code": "ProvisionedThroughputExceededException"},
}


class Admin:
    """The door of a proxy that nobody uses but for its admin door."""

    def __init__(self) -> None:
        self.rules = Rules()
        self._door = AdminDoor(self.rules, lambda: 7)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and the JSON of the answer."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        names = {k.replace("_", "-").encode(): v.encode() for k, v in headers.items()}
        status, told, said = self._door.answer(method.encode(), path.encode(), sent, names)
        is_json = told["Content-Type"] == "application/json"
        return status, json.loads(said) if is_json else said.decode()

    def well(self, method: str, path: str, body: Any = None) -> Any:
        status, said = self.ask(method, path, body)
        assert status == 200, said
        return said

    def affected(self, request: ApiRequest) -> bool:
        return self.rules.decide(request) is not None


def test_post_replaces_patch_appends_delete_removes_and_all_answer_with_what_is_in_force() -> None:
    admin = Admin()
    assert admin.well("GET", FAULTS) == []
    assert admin.well("POST", FAULTS, [S3, THROUGHPUT]) == [S3, THROUGHPUT]
    assert admin.well("PATCH", FAULTS, [{}]) == [S3, THROUGHPUT, {}]
    assert admin.well("DELETE", FAULTS, [S3, {"service": "s3"}]) == [THROUGHPUT, {}]
    assert admin.well("PATCH", FAULTS, [S3]) == [THROUGHPUT, {}, S3]
    assert admin.well("POST", FAULTS, [{"region": "us-east-1"}]) == [{"region": "us-east-1"}]
    assert admin.well("GET", FAULTS) == [{"region": "us-east-1"}]
    assert admin.well("POST", FAULTS, []) == []
    assert not admin.rules.items()


def test_a_fault_has_localstack_s_defaults_and_words() -> None:
    admin = Admin()
    admin.well("POST", FAULTS, [{}])
    effect = admin.rules.decide(WEST)
    assert effect is not None
    assert (effect.action, effect.status, effect.code) == ("error", 503, "ServiceUnavailable")
    assert effect.message == "Service 'monitoring' not accessible due to an outage"
    admin.well("POST", FAULTS, [{"service": "cloudwatch", "error": {"statusCode": 418}}])
    effect = admin.rules.decide(WEST)
    assert effect is not None
    assert (effect.status, effect.code) == (418, "ServiceUnavailable")
    assert effect.message == "Service 'cloudwatch' not accessible due to an outage"
    assert not admin.affected(EAST)


def test_operations_have_digits_and_codes_have_dots() -> None:
    admin = Admin()
    code = "AWS.SimpleQueueService.NonExistentQueue"
    admin.well("POST", FAULTS, [{"operation": "ListObjectsV2", "error": {"code": code}}])
    assert not admin.affected(WEST)
    effect = admin.rules.decide(EAST)
    assert effect is not None
    assert effect.code == code


def test_unchanged_faults_go_on_counting_and_ids_are_used_again() -> None:
    admin = Admin()
    admin.well("POST", FAULTS, [S3, {}])
    assert admin.affected(EAST)
    admin.well("POST", FAULTS, [S3, {"region": "us-west-2"}])
    told = admin.well("GET", RULES)
    assert [(one["id"], one["hits"]) for one in told] == [("fault-1", 1), ("fault-2", 0)]
    admin.well("DELETE", FAULTS, [S3])
    admin.well("PATCH", FAULTS, [THROUGHPUT])
    assert [one["id"] for one in admin.well("GET", RULES)] == ["fault-2", "fault-1"]


def test_latency_befalls_all_calls_before_their_faults() -> None:
    admin = Admin()
    assert admin.well("GET", EFFECTS) == {"latency": 0}
    admin.well("POST", FAULTS, [S3])
    assert admin.well("POST", EFFECTS, {"latency": 5000}) == {"latency": 5000}
    first = admin.rules.decide(EAST)
    assert first is not None
    assert (first.rule, first.action, first.delay) == ("latency", "pass", 5.0)
    then = admin.rules.decide(EAST, {"latency"})
    assert then is not None
    assert then.action == "error"
    assert admin.well("GET", FAULTS) == [S3]
    assert admin.well("POST", EFFECTS, {"latency": 0}) == {"latency": 0}
    assert admin.well("GET", EFFECTS) == {"latency": 0}
    assert not admin.affected(WEST)


def test_rules_that_others_have_put_are_left_alone() -> None:
    admin = Admin()
    rule = {"action": "hang", "services": ["sqs"]}
    admin.rules.put("fault-1", rule)
    admin.well("POST", FAULTS, [S3])
    admin.well("POST", EFFECTS, {"latency": 1})
    admin.well("POST", FAULTS, [])
    admin.well("POST", EFFECTS, {"latency": 0})
    assert [(one["id"], one["rule"]) for one in admin.well("GET", RULES)] == [("fault-1", rule)]
    assert admin.well("GET", FAULTS) == []


def test_put_replaces_all_rules_whoever_set_them() -> None:
    admin = Admin()
    admin.well("POST", FAULTS, [S3])
    admin.well("POST", EFFECTS, {"latency": 5})
    hang, slow = {"action": "hang", "services": ["s3"]}, {"action": "delay", "seconds": 1}
    told = admin.well("PUT", RULES, [hang, slow])
    assert [(one["id"], one["rule"]) for one in told] == [("1", hang), ("2", slow)]
    assert (admin.well("GET", FAULTS), admin.well("GET", EFFECTS)) == ([], {"latency": 0})
    admin.affected(EAST)
    admin.affected(WEST)
    told = admin.well("PUT", RULES, {"mine": hang, "1": hang})
    assert [(one["id"], one["matched"], one["hits"]) for one in told] == [
        ("mine", 0, 0),
        ("1", 1, 1),
    ]
    assert admin.well("PUT", RULES, []) == []


def test_a_seed_that_nobody_chose_is_told() -> None:
    admin = Admin()
    (drawn,) = admin.well("PUT", RULES, [{"action": "hang", "probability": 0.5}])
    (certain,) = admin.well("PUT", RULES, [{"action": "hang"}])
    assert isinstance(drawn["seed"], int)
    assert "seed" not in certain


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", FAULTS, b"", "body"),
        ("POST", FAULTS, b"{", "body"),
        ("POST", FAULTS, b"[" * 100_000, "body"),
        ("POST", FAULTS, b"\xff", "body"),
        ("POST", FAULTS, b'[{"description": "\\ud800"}]', "body"),
        ("PUT", RULES, b'{"\\ud800": {"action": "hang"}}', "body"),
        ("PUT", RULES, [{"action": "hang", "services": ["a\nb"]}], "1.services"),
        ("POST", FAULTS, {}, "body"),
        ("DELETE", FAULTS, None, "body"),
        ("PATCH", FAULTS, [{}] * 1001, "body"),
        ("POST", FAULTS, [7], "[0]"),
        ("POST", FAULTS, [{}, S3, {}], "[2]"),
        ("POST", FAULTS, [{"regions": ["us-east-1"]}], "[0].regions"),
        ("POST", FAULTS, [S3, {"region": "us east"}], "[1].region"),
        ("PATCH", FAULTS, [{"region": None}], "[0].region"),
        ("POST", FAULTS, [{"region": "us-east-1\n"}], "[0].region"),
        ("POST", FAULTS, [{"service": ""}], "[0].service"),
        ("POST", FAULTS, [{"operation": "Put-Item"}], "[0].operation"),
        ("POST", FAULTS, [{"probability": 1.01}], "[0].probability"),
        ("POST", FAULTS, [{"probability": "0.5"}], "[0].probability"),
        ("POST", FAULTS, [{"probability": True}], "[0].probability"),
        ("POST", FAULTS, b'[{"probability": NaN}]', "[0].probability"),
        ("POST", FAULTS, [{"description": 7}], "[0].description"),
        ("POST", FAULTS, [{"description": "x" * 8193}], "[0].description"),
        ("POST", FAULTS, [{"error": 503}], "[0].error"),
        ("POST", FAULTS, [{"error": {"status": 503}}], "[0].error.status"),
        ("POST", FAULTS, [{"error": {"statusCode": 200}}], "[0].error.statusCode"),
        ("POST", FAULTS, [{"error": {"statusCode": "503"}}], "[0].error.statusCode"),
        ("POST", FAULTS, [{"error": {"code": "a b"}}], "[0].error.code"),
        ("DELETE", FAULTS, [{"nope": 1}], "[0].nope"),
        ("POST", FAULTS, [{"action": "hang"}], "[0].action"),
        ("POST", EFFECTS, {}, "latency"),
        ("POST", EFFECTS, [], "body"),
        ("POST", EFFECTS, {"latency": -1}, "latency"),
        ("POST", EFFECTS, {"latency": "5"}, "latency"),
        ("POST", EFFECTS, {"latency": True}, "latency"),
        ("POST", EFFECTS, {"latency": 1.5}, "latency"),
        ("POST", EFFECTS, {"latency": 10**400}, "latency"),
        ("POST", EFFECTS, {"latency": 1, "jitter": 2}, "jitter"),
        ("PUT", RULES, 7, "body"),
        ("PUT", RULES, [{"action": "hang"}, {"action": "explode"}], "2.action"),
        ("PUT", RULES, {"a": {"action": "hang", "region": "x"}}, "a.region"),
    ],
)
def test_what_is_wrong_is_told_by_the_name_of_its_field(
    method: str, path: str, body: Any, field: str
) -> None:
    admin = Admin()
    admin.well("POST", FAULTS, [S3])
    before = admin.well("GET", RULES)
    status, said = admin.ask(method, path, body)
    assert (status, said["field"]) == (400, field)
    assert said["message"].startswith(f"{field}: ")
    assert len(said["message"]) < 400
    assert admin.well("GET", RULES) == before, "what was in force must stay"


def test_other_methods_and_paths_are_refused() -> None:
    admin = Admin()
    for method, path in [("PUT", FAULTS), ("DELETE", EFFECTS), ("PATCH", RULES), ("HEAD", FAULTS)]:
        assert admin.ask(method, path)[0] == 405
    status, said = admin.ask("GET", "/_localstack/chaos/fault")
    assert (status, said["field"]) == (404, "path")
    assert admin.well("GET", FAULTS + "/?x=1") == []


def test_no_web_page_gets_in() -> None:
    admin = Admin()
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-origin"},
    ):
        for method, path in [("POST", FAULTS), ("GET", FAULTS), ("PUT", RULES)]:
            assert admin.ask(method, path, [{}], **headers)[0] == 403
    assert not admin.rules.items()
    assert admin.ask("GET", FAULTS, sec_fetch_site="none")[0] == 200, "an address bar is a person"


def test_only_the_paths_of_the_door_are_its_own() -> None:
    for path in (FAULTS, EFFECTS, RULES, "/_chaos/metrics", "/_chaos/x"):
        assert admin_path(path.encode())
    for path in (
        "/",
        "/_localstack/health",
        "/_chaosbucket/key",
        "/bucket/_chaos/rules",
        "/_chaos",
    ):
        assert not admin_path(path.encode())


@needs_promtool
def test_promtool_takes_the_metrics() -> None:
    admin = Admin()
    admin.well("PUT", RULES, {'q"\\\nü': {"action": "hang"}, "b": {"action": "refuse"}})
    admin.affected(EAST)
    admin.affected(ApiRequest(service='"', operation="a\nb\\"))
    assert complaints(admin.well("GET", "/_chaos/metrics")) == ""


def test_metrics_count_by_rule_and_kind_of_call() -> None:
    admin = Admin()
    admin.well("PUT", RULES, [{"action": "hang", "services": ["s3"], "first": 2}])
    for request in (EAST, EAST, EAST, WEST):
        admin.affected(request)
    lines = admin.well("GET", "/_chaos/metrics").splitlines()
    assert "chaos_proxy_requests_total 7" in lines
    assert 'chaos_proxy_matched_total{rule="1",action="hang"} 3' in lines
    of = 'rule="1",action="hang",service="s3",operation="ListObjectsV2",region="us-east-1"'
    assert f"chaos_proxy_affected_total{{{of}}} 2" in lines


def test_clients_that_make_up_names_do_not_fill_the_memory() -> None:
    admin = Admin()
    admin.well("POST", FAULTS, [{}])
    for number in range(3 * MOST_KINDS):
        admin.affected(ApiRequest(service="s3", operation=f"Op{number}"))
    (armed,) = admin.rules.armed()
    assert len(armed.met) == MOST_KINDS + 1
    assert sum(armed.met.values()) == 3 * MOST_KINDS
