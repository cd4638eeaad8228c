"""``halftone history`` and ``halftone audit verify``: the record, and whether it holds."""

from dataclasses import replace
from datetime import datetime

import pytest

from halftone.domain.audit import AuditRecord, verify
from tests.support.engine import NAME


def test_history_has_a_line_a_record_the_newest_last(rolling):
    ran = rolling("history", NAME)

    heading, *lines = ran.out.splitlines()
    assert heading.split() == ["seq", "time", "actor", "action", "what", "changed", "reason"]
    assert [line.split()[0] for line in lines] == [str(seq) for seq in range(1, 9)]
    assert lines[0].endswith(f"  release of {rolling.endpoint.state.champion.package}")
    assert "phase shifting → observing, share 0 % → 5 %, stage 0 → 1" in lines[-1]


def test_history_tells_a_new_rollout_by_itself(rolling):
    line = rolling("history", NAME).out.splitlines()[5]

    assert "  phase preparing, candidate risk-2@" in line
    assert "→" not in line


def test_history_shows_no_more_than_the_limit(rolling):
    ran = rolling("history", NAME, "--limit", "2", "--json")

    assert [record["seq"] for record in ran.json["records"]] == [7, 8]


def test_history_as_json_can_be_verified_by_whoever_has_it(rolling):
    document = rolling("history", NAME, "--json").json

    records = [
        AuditRecord(**{**record, "at": datetime.fromisoformat(record["at"])})
        for record in document["records"]
    ]
    assert verify(NAME, records, rolling.endpoint.state.audit) == 8


def test_history_refuses_a_limit_of_nothing(rolling):
    ran = rolling("history", NAME, "--limit", "0")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "error: --limit is 0, expected a whole number at least 1\n"


def test_a_sound_chain_verifies_with_its_length_and_head(rolling):
    ran = rolling("audit", "verify", NAME)

    head = rolling.endpoint.state.audit
    assert ran.code == 0
    assert ran.out.splitlines()[1].split() == [NAME, "verified", str(head.seq), head.hash]


def changed(records):
    records[3] = replace(records[3], reason="nothing happened")


def dropped(records):
    del records[3]


def cut_off(records):
    del records[-1]


def rewritten(records):
    forged = replace(records[3], reason="nothing happened")
    records[3] = replace(forged, hash=forged.digest())


def prolonged(records):
    last = records[-1]
    more = replace(last, seq=last.seq + 1, previous=last.hash, reason="one more")
    records.append(replace(more, hash=more.digest()))


@pytest.mark.parametrize(
    ("tamper", "seq"),
    [(changed, 4), (dropped, 4), (cut_off, 8), (rewritten, 5), (prolonged, 10)],
)
def test_a_broken_chain_exits_5_and_names_the_record(rolling, tamper, seq):
    tamper(rolling.endpoint.world.store.records[NAME])

    ran = rolling("audit", "verify", NAME)

    assert ran.code == 5
    assert f"breaks at record {seq}" in ran.out
    assert ran.err.startswith(f"error: the audit of 'fraud' breaks at record {seq}: ")


def test_json_says_where_a_chain_breaks(rolling):
    changed(rolling.endpoint.world.store.records[NAME])

    ran = rolling("audit", "verify", "--all", "--json")

    assert ran.code == 5
    assert ran.json == {
        "chains": [
            {
                "endpoint": NAME,
                "verified": False,
                "whole": True,
                "records": 8,
                "head": rolling.endpoint.state.audit.hash,
                "breaks_at": 4,
                "why": "its content does not match its hash",
            }
        ]
    }


def test_a_chain_that_grows_while_it_is_read_is_not_broken(rolling):
    ports = rolling.endpoint.ports

    class Busy:
        """A store to which a rollback comes in between the reading of state and audit."""

        interrupted = False

        def __getattr__(self, name):
            return getattr(ports.store, name)

        def audit(self, endpoint, *, after=0):
            if not self.interrupted:
                self.interrupted = True
                rolling.endpoint.trip()
                rolling.endpoint.tick()
            return ports.store.audit(endpoint, after=after)

    rolling.ports = replace(ports, store=Busy())

    ran = rolling("audit", "verify", NAME, "--json")

    assert ran.code == 0
    assert ran.json["chains"][0]["records"] == 10


@pytest.mark.parametrize("words", [(), (NAME, "--all")])
def test_either_one_endpoint_or_all(rolling, words):
    ran = rolling("audit", "verify", *words)

    assert ran.code == 2
    assert "expected one of the name of an endpoint, --all, and --file" in ran.err


def test_the_audit_of_nothing_is_not_found(rolling):
    assert rolling("audit", "verify", "nope").code == 3
    assert rolling("history", "nope").code == 3


def test_an_export_is_verified_by_who_has_nothing_but_the_file(rolling, offline, tmp_path):
    target = tmp_path / "fraud.jsonl"
    ran = rolling("audit", "export", NAME, "-o", str(target))
    assert (ran.code, ran.err) == (0, f"wrote 8 records to {target}\n")

    ran = offline("audit", "verify", "--file", target, "--json")

    [chain] = ran.json["chains"]
    head = rolling.endpoint.state.audit
    assert (ran.code, chain["endpoint"], chain["records"]) == (0, NAME, head.seq)
    assert chain["head"] == head.hash
    assert rolling("audit", "export", NAME).out == target.read_text()


def test_a_first_page_never_verifies_as_a_whole(rolling, offline, tmp_path):
    target = tmp_path / "fraud.jsonl"
    lines = rolling("audit", "export", NAME).out.splitlines(keepends=True)
    target.write_text("".join(lines[:5]))
    head = rolling.endpoint.state.audit.hash

    ran = offline("audit", "verify", "--file", target)
    assert (ran.code, "the end is not known" in ran.out) == (0, True)
    [chain] = offline("audit", "verify", "--file", target, "--json").json["chains"]
    assert (chain["verified"], chain["whole"], chain["records"]) == (True, False, 5)

    ran = offline("audit", "verify", "--file", target, "--head", head)
    assert ran.code == 5
    assert "breaks at record 6: missing" in ran.err

    target.write_text("".join(lines))
    ran = offline("audit", "verify", "--file", target, "--head", head, "--json")
    assert (ran.code, ran.json["chains"][0]["whole"]) == (0, True)


def test_a_head_is_a_hash_beside_a_file(rolling):
    assert rolling("audit", "verify", NAME, "--head", "0" * 64).code == 2
    assert rolling("audit", "verify", "--file", "x.jsonl", "--head", "5").code == 2


def test_an_export_that_was_tampered_with_names_the_record(rolling, offline, tmp_path):
    target = tmp_path / "fraud.jsonl"
    rolling("audit", "export", NAME, "-o", str(target))
    target.write_text(target.read_text().replace("the alias reads 5 %", "all is well"))

    ran = offline("audit", "verify", "--file", target)

    assert ran.code == 5
    assert "breaks at record 8: its content does not match its hash" in ran.err


def test_a_broken_chain_is_exported_for_whoever_looks_into_it(rolling):
    changed(rolling.endpoint.world.store.records[NAME])

    ran = rolling("audit", "export", NAME)

    assert ran.code == 5
    assert len(ran.out.splitlines()) == 8


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "--file is"),
        ("", "line 1 is '', expected an audit record"),
        ("{}\n", "line 1 is '{}', expected an audit record"),
        ("nonsense\n", "line 1 is 'nonsense', expected an audit record"),
    ],
)
def test_what_is_no_export_is_refused(offline, tmp_path, text, told):
    target = tmp_path / "fraud.jsonl"
    if text is not None:
        target.write_text(text)

    ran = offline("audit", "verify", "--file", target)

    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("serving", NAME, "mode=guarded"), "mode weighted → guarded"),
        (("serving", NAME, "access=private"), "access public → private"),
        (("capture", NAME, "10"), "capture share=0 → share=10"),
        (("disable", NAME, "-m", "migration"), "stopped none → migration"),
        (("endpoints", "set", NAME, "--tag", "team=risk"), "tags none → team=risk"),
        (("endpoints", "set", NAME, "--concurrency", "50"), "concurrency none → 50"),
        (("endpoints", "set", NAME, "--throttle", "1/2"), "throttle none → rate=1, burst=2"),
        (("endpoints", "own", NAME, "nobody", "--self-approval"), "self approval none → True"),
        (("deployments", "name", NAME, "1", "blue"), "names none → 1=blue"),
        (("deployments", "scale", NAME, "1", "2"), "replicas none → 1=2"),
    ],
)
def test_history_shows_what_a_setting_was_and_is(rolling, words, told):
    ran = rolling(*words)
    if "mode" in told:  # a rollout keeps its mode
        assert ran.code == 4
        rolling("rollback", NAME, "--yes")
        ran = rolling(*words)
    assert ran.code == 0, ran.err
    assert told in rolling("history", NAME, "-n", "1").out


def test_history_shows_clients_by_token_and_never_a_digest(rolling):
    rolling("clients", "add", NAME, "clinic")
    [client] = rolling("clients", "list", NAME, "--json").json["items"]
    line = rolling("history", NAME, "-n", "1").out
    assert f"clients none → clinic=({client['token_id']})" in line
