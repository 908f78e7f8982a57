"""Runs every check, one line each, and ends with how many tests were executed."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
LOGS = ROOT / ".cache" / "logs"


@dataclass
class Counts:
    """How many tests ran; each skip with its reason."""

    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)

    def add(self, other: Counts) -> None:
        """Sums up."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


Counter = Callable[[str, "Step"], Counts]


@dataclass
class Step:
    """One command; ``count`` reads its tests off the log."""

    group: str
    name: str
    command: list[str]
    count: Counter | None = None

    @property
    def slug(self) -> str:
        """The name as a file name."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @property
    def skips(self) -> Path:
        """Where a test that finds out late that it cannot run says so."""
        return LOGS / f"{self.slug}.skips"


def count_cargo(log: str, step: Step) -> Counts:
    """Sums cargo's closing lines; a skip is an ignored test, or one that said so in a list."""
    counts = Counts()
    for passed, failed, ignored in re.findall(
        r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", log, re.MULTILINE
    ):
        counts.passed += int(passed)
        counts.failed += int(failed)
        counts.skipped += ["an ignored Rust test"] * int(ignored)
    if step.skips.exists():
        said = step.skips.read_text(encoding="utf-8").splitlines()
        counts.passed -= len(said)
        counts.skipped += said
    return counts


def count_junit(_log: str, step: Step) -> Counts:
    """Reads the JUnit file of pytest or of Node's test runner."""
    counts = Counts()
    report = LOGS / f"{step.slug}.xml"
    if not report.exists():
        return counts
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 (a runner wrote it)
        skip = case.find("skipped")
        if skip is not None:
            counts.skipped.append(f"{case.get('name')}: {skip.get('message')}")
        elif case.find("failure") is not None or case.find("error") is not None:
            counts.failed += 1
        else:
            counts.passed += 1
    return counts


def pytest(group: str, name: str, *paths: str) -> Step:
    """A run of pytest over some folders."""
    step = Step(group, name, [], count_junit)
    report = LOGS / f"{step.slug}.xml"
    step.command = [str(BIN / "pytest"), "-q", f"--junitxml={report}", *paths]
    return step


def node_test(name: str, *files: str) -> Step:
    """A run of Node's test runner over some files."""
    step = Step("node", name, [], count_junit)
    reports = {"spec": "stdout", "junit": str(LOGS / f"{step.slug}.xml")}
    reporters = [
        f"--test-reporter{option}"
        for reporter, place in reports.items()
        for option in (f"={reporter}", f"-destination={place}")
    ]
    paths = [str(path) for pattern in files for path in sorted((ROOT / "node").glob(pattern))]
    step.command = ["node", "--test", *reporters, *paths]
    return step


def mypy(name: str, *paths: str) -> Step:
    """A run of mypy; each folder of tests has a ``conftest``, so not over all at once."""
    return Step("lint", name, [str(BIN / "mypy"), *paths])


def steps() -> list[Step]:
    """Every check, the quick ones first."""
    python = str(BIN / "python")
    return [
        Step("lint", "Rust: format", ["cargo", "fmt", "--all", "--check"]),
        Step(
            "lint",
            "Rust: clippy",
            ["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
        ),
        Step("lint", "Python: format", [str(BIN / "ruff"), "format", "--check", "."]),
        Step("lint", "Python: ruff", [str(BIN / "ruff"), "check", "."]),
        Step("lint", "Lua: lua-check", ["luacheck", "--quiet", "firmware", "tests/lua"]),
        Step("lint", "C: clang-format", [str(ROOT / "tests/arduino/c-sources"), "check"]),
        Step("lint", "C: cppcheck", [str(ROOT / "tests/arduino/c-sources"), "lint"]),
        Step("rust", "Rust: tests", ["cargo", "test", "--locked", "--no-fail-fast"], count_cargo),
        Step("build", "Python: native module", [str(ROOT / ".ci" / "build-native")]),
        mypy(
            "Python: mypy",
            "python/espseal",
            ".ci",
            "tests/bench",
            "tests/vectors",
            "tests/conftest.py",
            "node/test/e2e",
        ),
        mypy("Python: mypy, tests", "tests/python", "tests/e2e"),
        mypy("Lua: mypy, tests", "tests/lua"),
        mypy("Arduino: mypy, tests", "tests/arduino", "firmware/arduino/extras"),
        Step("lint", "Python: stubtest", [str(BIN / "stubtest"), "espseal._native"]),
        Step("lint", "Vectors: as generated", [python, "tests/vectors/generate.py", "--check"]),
        pytest("python", "Python: tests", "tests/python"),
        pytest("lua", "Lua: tests", "tests/lua"),
        pytest("arduino", "Arduino: tests", "tests/arduino"),
        pytest("e2e", "End to end", "tests/e2e"),
        Step("node", "Node: addon", ["node", "node/scripts/build.mjs", "--check"]),
        Step("node", "Node: format", ["npm", "--prefix", "node", "run", "format-check"]),
        Step("node", "Node: eslint", ["npm", "--prefix", "node", "run", "lint"]),
        Step("node", "Node: tsc", ["npm", "--prefix", "node", "run", "types"]),
        node_test("Node: library", "test/*.test.js"),
        node_test("Node: nodes", "test/nodes/*.test.js"),
        node_test("Node: package", "test/e2e/package.test.js"),
        node_test("Node: permissions", "test/e2e/permissions.test.js"),
        node_test("Node: real runtimes", "test/e2e/runtimes.test.js"),
        node_test("Node: examples", "test/e2e/examples.test.js"),
        node_test("Node: editor", "test/e2e/editor.test.js"),
        node_test("Node: demo", "test/e2e/demo.test.js"),
    ]


def run(step: Step) -> tuple[bool, Counts, str]:
    """Runs one step; whether it passed, its counts and its log."""
    log = LOGS / f"{step.slug}.log"
    with log.open("w", encoding="utf-8") as file:
        code = subprocess.run(
            step.command,
            cwd=ROOT,
            env={**os.environ, "ESPSEAL_SKIPS": str(step.skips)},
            stdout=file,
            stderr=file,
            check=False,
        )
    text = log.read_text(encoding="utf-8", errors="replace")
    counts = step.count(text, step) if step.count else Counts()
    passed = code.returncode == 0
    if step.count and passed and counts.passed == 0:
        return False, counts, f"{text}\nno test was executed"
    if not passed and step.count and counts.failed == 0:
        counts.failed = 1
    return passed, counts, text


def main() -> int:
    """Runs the steps; 0 only if all passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", metavar="GROUP", help="lint, rust, python, lua, arduino, e2e or node"
    )
    only = parser.parse_args().only
    chosen = [s for s in steps() if only in (None, s.group) or s.group == "build"]
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    total, broken = Counts(), []
    for step in chosen:
        print(f"  {step.name:<24}", end="", flush=True)
        start = time.monotonic()
        passed, counts, log = run(step)
        total.add(counts)
        mark = "ok" if passed else "FAILED"
        tests = f"{counts.passed} passed" if step.count else ""
        print(f"{mark:<8}{time.monotonic() - start:6.1f} s   {tests}", flush=True)
        if not passed:
            broken.append(step.name)
            print("\n".join(f"    | {line}" for line in log.splitlines()[-80:]), flush=True)
    for skip in total.skipped:
        print(f"  skipped: {skip}")
    if broken:
        print(f"\nFailed: {', '.join(broken)}. The whole logs are in .cache/logs.")
        total.failed = max(total.failed, 1)
    print(f"\n{total.passed} passed, {total.failed} failed, {len(total.skipped)} skipped")
    return 1 if broken else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        sys.exit(130)
