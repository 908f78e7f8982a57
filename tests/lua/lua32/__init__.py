"""Lua 5.3 with 32-bit integers and floats, as NodeMCU builds it; Debian's has 64 bits."""

import json
import subprocess
from pathlib import Path

_HERE = Path(__file__).parent
_CACHE = _HERE.parent.parent.parent / ".cache" / "lua32"


def interpreter() -> Path:
    """Builds it out of the source in the crate `lua-src`, whose checksum Cargo.lock holds; once."""
    command = ["cargo", "metadata", "--locked", "--quiet", "--format-version", "1"]
    manifest = _HERE / "Cargo.toml"
    metadata = json.loads(subprocess.check_output([*command, "--manifest-path", manifest]))
    (crate,) = (package for package in metadata["packages"] if package["name"] == "lua-src")
    built = _CACHE / f"lua-{crate['version']}"
    if not built.exists():
        (source,) = Path(crate["manifest_path"]).parent.glob("lua-5.3.*")
        _CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = built.with_suffix(".unfinished")
        compile_: list[str | Path] = ["cc", "-O2", "-DLUA_32BITS", "-DLUA_USE_POSIX"]
        compile_ += [f"-I{source}", "-o", unfinished, _HERE / "main.c"]
        subprocess.run([*compile_, *sorted(source.glob("*.c")), "-lm"], check=True)
        unfinished.rename(built)
    return built
