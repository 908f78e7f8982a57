"""`espseal demo`, as a person runs it, and the judge who decides its exit code."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pytest

from espseal import Verdict
from espseal.demo import attacks
from espseal.demo.attacks import FIELDS, Attack, Frame, Shot, is_sealed, last_word, plan
from espseal.demo.interrupts import Interrupts
from espseal.demo.judge import ALSO, EXPECTED, FALSE_SESSION, SCENES, Played, Report
from espseal.demo.show import ACTS, Step, abbreviated, in_words

DEMO = [sys.executable, "-m", "espseal.cli", "demo"]
HANGS = 90.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to be in, beside one for temporary files."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def environment(folder: Path, **more: str) -> dict[str, str]:
    unwanted = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "ESPSEAL_KEYRING"}
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return kept | {"TMPDIR": str(folder.parent / "tmp"), "HOME": str(folder)} | more


def run(folder: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [*DEMO, *options],
        cwd=folder,
        env=environment(folder, **env),
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )
    assert_nothing_left(folder)
    return result


def assert_nothing_left(folder: Path) -> None:
    assert list(folder.iterdir()) == []
    assert list((folder.parent / "tmp").iterdir()) == []


# The demo itself


def test_json(folder: Path) -> None:
    result = run(folder, "--json")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    report = json.loads(result.stdout)
    assert report["ok"] is True
    assert report["problems"] == []
    assert report["session_restored"] is True
    sent = report["readings"]["sent"]
    assert len(sent) == 4
    assert min(sent.values()) > 1
    assert max(sent.values()) > 500
    assert sent == report["readings"]["arrived"]
    assert {attack["name"]: attack["expected"] for attack in report["attacks"]} == EXPECTED
    for attack in report["attacks"]:
        if also := ALSO.get(attack["name"]):
            assert attack["answers"].keys() <= {attack["expected"], *also}
        else:
            assert attack["answers"] == {attack["expected"]: attack["sent"]}
        assert (attack["arrived"], attack["refused"]) == (0, attack["sent"])
    assert {each["name"]: each["sent"] for each in report["attacks"]}["500 captured frames"] == 500
    assert {scene["name"] for scene in report["scenes"]} == SCENES.keys()
    assert all(scene["outcome"] == scene["expected"] for scene in report["scenes"])


def test_piped(folder: Path) -> None:
    """Plain lines: four acts, no escape sequence, not a word from the broker."""
    result = run(folder)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "\x1b" not in result.stdout
    acts = [line for line in result.stdout.splitlines() if line.startswith("Act ")]
    assert acts == [
        "Act 1 of 4: Readings arrive",
        "Act 2 of 4: The attacks",
        "Act 3 of 4: A sealed node",
        "Act 4 of 4: The summary",
    ]
    assert "All 518 readings arrived, each exactly once." in result.stdout
    assert f"All {len(SCENES)} other scenes went as told." in result.stdout
    assert "messages of the attacker were refused." in result.stdout
    lines = [line.strip() for line in result.stdout.splitlines()]
    for name in [*EXPECTED, *SCENES]:
        told = [line for line in lines if line.startswith(f"{name} ")]
        assert len(told) == 1 + (name in EXPECTED), name


def test_on_a_terminal(folder: Path) -> None:
    """Colours and a live table; the same ending."""
    output, code = on_terminal(folder, TERM="xterm-256color")
    assert code == 0, output
    assert "\x1b[" in output
    assert "each exactly once." in output
    assert output.rfind("\x1b[?25h") > output.rfind("\x1b[?25l"), "the cursor stays hidden"


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_on_a_terminal_without_colours(folder: Path, env: dict[str, str]) -> None:
    output, code = on_terminal(folder, **{"TERM": "xterm-256color"} | env)
    assert code == 0, output
    assert "\x1b" not in output
    assert "each exactly once." in output


def test_verbose_shows_the_log_of_the_broker(folder: Path) -> None:
    result = run(folder, "--json", "--verbose")
    assert result.returncode == 0
    assert "amqtt" in result.stderr
    assert json.loads(result.stdout)["ok"] is True


@pytest.mark.parametrize("act", ACTS)
def test_ctrl_c(folder: Path, act: int) -> None:
    """Ends at once in whichever act, with 130 and without a trace."""
    with subprocess.Popen(
        DEMO,
        cwd=folder,
        env=environment(folder, PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        output, errors = streams(process)
        assert any(line.startswith(f"Act {act}") for line in output)
        process.send_signal(signal.SIGINT)
        rest = output.read(), errors.read()
        code = process.wait(HANGS)
    assert "Traceback" not in "".join(rest)
    assert code == 130 or (act == len(ACTS) and code == 0)
    assert_nothing_left(folder)


def test_ctrl_c_is_put_off_while_threads_start_and_end() -> None:
    interrupts = Interrupts()
    reached = []
    with pytest.raises(KeyboardInterrupt), interrupts.held():
        with pytest.raises(KeyboardInterrupt), interrupts.let_through():
            signal.raise_signal(signal.SIGINT)
            reached.append("after one that is let through")
        signal.raise_signal(signal.SIGINT)
        reached.append("after one that is held")
        with pytest.raises(KeyboardInterrupt), interrupts.let_through():
            reached.append("with one that was put off")
        signal.raise_signal(signal.SIGINT)
        reached.append("the end")
    assert reached == ["after one that is held", "the end"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        interrupts = Interrupts()
        with interrupts.held(), interrupts.let_through():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_does_not_end_well_ends_with_1(folder: Path) -> None:
    """All is real but two expectations: a replay is not forged, and what is revoked not fresh."""
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.argv = ['espseal', 'demo']\n"
            "import espseal.demo.judge as judge; judge.EXPECTED['replay'] = 'forged'\n"
            "judge.SCENES['revocation'] = 'fresh'\n"
            "import espseal.cli as cli; cli.main()",
        ],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr == (
        "espseal: The demo did not end as it must. The attack 'replay' should have got"
        " 3 x forged and got 3 x duplicate. The scene 'revocation' should have got 2 x fresh"
        " and got 2 x revoked.\n"
    )
    assert "duplicate, not 3 x forged" in result.stdout
    assert "each exactly once" not in result.stdout
    assert_nothing_left(folder)


def test_a_missing_extra_is_one_sentence(folder: Path) -> None:
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.modules['amqtt'] = None; sys.argv = ['espseal', 'demo']\n"
            "import espseal.cli as cli; cli.main()",
        ],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr == "espseal: The demo needs amqtt: pip install 'espseal[demo]'\n"


# The judge


def good(planned: int = 2) -> Report:
    """A report of a story that ended well."""
    names = ("a", "b", "c")
    readings = {name: [f"{name} {n}" for n in range(planned)] for name in names}
    attacks, scenes = (
        [Played(name, 3, {answer: 3}) for name, answer in every.items()]
        for every in (EXPECTED, SCENES)
    )
    plan = dict.fromkeys(names, planned)
    return Report(plan, readings, readings, attacks, scenes, session_restored=True)


def test_a_good_end() -> None:
    assert good().problems() == []
    assert good().as_json()["ok"] is True


def test_a_frame_that_a_node_sent_again_is_no_problem() -> None:
    assert replace(good(), refused_outside={Verdict.DUPLICATE: 1}).problems() == []


def test_what_a_revoked_node_says_of_itself_is_no_problem() -> None:
    assert replace(good(), refused_outside={Verdict.REVOKED: 1}).problems() == []


def test_an_old_frame_may_be_refused_for_its_session() -> None:
    captured = Played("500 captured frames", 500, {Verdict.REPLAYED: 499, Verdict.STALE_SESSION: 1})
    assert captured.well
    assert not replace(captured, answers={Verdict.STALE_SESSION: 500}).well
    assert not replace(captured, name="replay").well


def arrived(change: Callable[[list[str]], list[str]]) -> Report:
    report = good()
    return replace(report, arrived={**report.arrived, "b": change(list(report.arrived["b"]))})


@pytest.mark.parametrize(
    ("report", "names"),
    [
        (arrived(lambda texts: texts[:1]), "'b 1' of b was sent once and arrived never"),
        (arrived(lambda texts: [*texts, texts[0]]), "'b 0' of b was sent once and arrived twice"),
        (arrived(lambda texts: [*texts, "x"]), "'x' of b was sent never and arrived once"),
        (arrived(lambda texts: [*texts[:1], "b 2"]), "'b 2' of b was sent never"),
        (arrived(lambda _: []), "'b 0' of b"),
        (replace(good(), arrived={}), "'a 0' of a"),
        (replace(good(), arrived={**good().arrived, "d": ["x"]}), "'x' of d"),
        (replace(good(), planned={**good().planned, "a": 3}), "a sent 2 readings, not 3"),
        (replace(good(), planned={**good().planned, "d": 1}), "d sent 0 readings, not 1"),
        (replace(good(), sent={}, arrived={}), "No reading was sent"),
        (replace(good(), session_restored=False), "forged session ID was left"),
        (replace(good(), refused_outside={"forged": 1}), "forged with no attack on"),
        (replace(good(), attacks=[]), "'replay' was played never"),
        (
            replace(good(), attacks=[*good().attacks, good().attacks[0]]),
            "'replay' was played twice",
        ),
        (replace(good(), scenes=good().scenes[1:]), "scene 'the nodes go on' was played never"),
        (
            replace(good(), scenes=[*good().scenes[1:], Played("the nodes go on", 3, {})]),
            "should have got 3 x fresh and got no answer",
        ),
    ],
)
def test_a_bad_end(report: Report, names: str) -> None:
    assert names in " ".join(report.problems())
    assert report.as_json()["ok"] is False


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: {Verdict.FRESH: 3}, id="accepted"),
        pytest.param(lambda answer: {answer: 2, Verdict.FRESH: 1}, id="one accepted"),
        pytest.param(lambda answer: {answer: 3, Verdict.FRESH: 1}, id="one more accepted"),
        pytest.param(lambda answer: {answer: 2}, id="one unanswered"),
        pytest.param(lambda answer: {answer: 4}, id="one answered twice"),
        pytest.param(lambda _: {}, id="no answer"),
        pytest.param(lambda _: {Verdict.DOWNGRADED: 3}, id="another verdict"),
    ],
)
def test_an_attack_that_was_not_refused_as_it_must_be(
    name: str, spoil: Callable[[str], dict[str, int]]
) -> None:
    report = good()
    spoilt = [
        replace(played, answers=spoil(EXPECTED[name])) if played.name == name else played
        for played in report.attacks
    ]
    (problem,) = replace(report, attacks=spoilt).problems()
    assert repr(name) in problem


def test_what_was_accepted_is_counted_as_arrived() -> None:
    played = Played("replay", 3, {Verdict.DUPLICATE: 2, Verdict.FRESH: 1})
    assert (played.accepted, played.refused, played.well) == (1, 2, False)


# The attacker

MINE = Frame("t/a", ("1d54dd1af0f75a91a00d4dcd8f4ad28d", "d1" * 16, "56" * 32, "c6" * 20))
OTHER = Frame("t/b", ("9e" * 16, "0a" * 16, "77" * 16, "31" * 20))


SEALED = Shot("t/sealed", b"\xf5" + bytes(50))
SESSION_TOPICS = ["t/session", "t/beacon"]


def planned() -> dict[str, Attack]:
    played = [*plan(MINE, OTHER, SEALED, SESSION_TOPICS), last_word([MINE, OTHER])]
    return {attack.name: attack for attack in played}


def test_every_attack_is_judged() -> None:
    assert list(planned()) == list(EXPECTED)[: len(planned())]


def test_every_attack_is_told_on_one_line_of_80_columns() -> None:
    for attack in planned().values():
        assert len(attack.how) <= 28
    assert max(map(len, [*EXPECTED, *SCENES])) <= 20


@pytest.mark.parametrize("index", range(len(FIELDS)))
def test_a_flip_changes_one_bit(index: int) -> None:
    (shot,) = planned()[f"flipped bit: {FIELDS[index]}"].shots
    flipped = Frame.recognise(shot.topic, shot.payload)
    assert flipped is not None
    pairs = list(zip(MINE.fields, flipped.fields, strict=True))
    assert [before == after for before, after in pairs].count(False) == 1
    before, after = pairs[index]
    assert (int(before, 16) ^ int(after, 16)).bit_count() == 1


def test_a_flip_of_a_sealed_frame_changes_one_bit_behind_its_header() -> None:
    (shot,) = planned()["sealed: flipped bit"].shots
    assert is_sealed(shot.payload)
    assert shot.payload[:20] == SEALED.payload[:20]
    pairs = zip(SEALED.payload, shot.payload, strict=True)
    assert sum((before ^ after).bit_count() for before, after in pairs) == 1


def test_how_a_step_is_told() -> None:
    assert in_words(Step("x", "", 3, {"forged": 2, "fresh": 1, "stale": 0})) == "2 forged, 1 fresh"
    assert in_words(Step("x", "", 3, {"right": 2}, attack=False)) == "2 of 3 right"
    assert in_words(Step("x", "", 3)) == "no answer"
    assert abbreviated(b"00ff,11", 40) == "00ff,11... 7 bytes"
    assert abbreviated(SEALED.payload, 25) == "f500000000000... 51 bytes"


def test_another_identity_is_spliced_in() -> None:
    alone, with_iv = planned()["another node's ID"].shots
    mine, other = MINE.fields, OTHER.fields
    assert alone.payload.decode() == ",".join((mine[0], other[1], mine[2], mine[3]))
    assert with_iv.payload.decode() == ",".join((other[0], other[1], mine[2], mine[3]))


def test_a_forged_session_id_looks_like_one_and_is_retained() -> None:
    shots = planned()["forged session ID"].shots
    assert [shot.topic for shot in shots] == SESSION_TOPICS
    assert all(attacks.is_session_id(shot.payload) and shot.retain for shot in shots)
    assert EXPECTED["forged session ID"] == FALSE_SESSION


def test_the_floods_reach_both_topics() -> None:
    named = planned()
    for name, topics in {
        "flood: noise": {"t/a"},
        "flood: look-alikes": {"t/a"},
        "flood: session IDs": set(SESSION_TOPICS),
    }.items():
        shots = named[name].shots
        assert len(shots) >= 100
        assert len({shot.payload for shot in shots}) > 90
        assert {shot.topic for shot in shots} == topics


def test_the_attacker_knows_no_key() -> None:
    """Nothing of espseal but its own two modules is within the attacker's reach."""
    code = (
        "import sys, types\n"
        "for name in ('espseal', 'espseal.demo'):\n"
        "    sys.modules[name] = module = types.ModuleType(name)\n"
        f"sys.modules['espseal.demo'].__path__ = [{str(Path(attacks.__file__).parent)!r}]\n"
        "import espseal.demo.attacker\n"
        "print(*sorted(name for name in sys.modules if name.startswith('espseal')))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == [
        "espseal",
        "espseal.demo",
        "espseal.demo.attacker",
        "espseal.demo.attacks",
    ]


def streams(process: "subprocess.Popen[str]") -> tuple[IO[str], IO[str]]:
    assert process.stdout is not None
    assert process.stderr is not None
    return process.stdout, process.stderr


def on_terminal(folder: Path, **env: str) -> tuple[str, int]:
    """Runs the demo on a pseudo-terminal; returns all that it wrote there, and its exit code."""
    ours, theirs = pty.openpty()
    arguments: dict[str, Any] = {"cwd": folder, "env": environment(folder, **env)}
    with subprocess.Popen(DEMO, stdin=theirs, stdout=theirs, stderr=theirs, **arguments) as process:
        os.close(theirs)
        written = b""
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            while chunk := _read(terminal):
                written += chunk
        code = process.wait(HANGS)
    assert_nothing_left(folder)
    return written.decode(), code


def _read(terminal: IO[bytes]) -> bytes:
    try:
        return terminal.read(65536)
    except OSError:
        # How Linux says that the other end of a pseudo-terminal was closed.
        return b""
