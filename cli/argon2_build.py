"""Which build of Argon2 is installed, and whether one for this machine's processor would be quicker."""

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")

# What Argon2's code has a path for that published builds leave out: they run on any processor. The widest first.
WIDE_INSTRUCTIONS = {"avx512f": "AVX-512", "avx2": "AVX2"}


def advice() -> str:
    """A sentence or two for whoever runs this machine."""
    if sys.platform != "linux":
        return "Whether a build for this processor helps cannot be known here: compare before and after `make argon2-native`."
    return advice_for(_wheel(), CPUINFO.read_text() if CPUINFO.exists() else "")


def advice_for(wheel: str, cpuinfo: str) -> str:
    """For Linux, where a wheel's tag tells what was published (PEP 600, PEP 656) from what was built on a machine:
    ``wheel`` is the metadata of the installed one, ``cpuinfo`` what the kernel says of the processor."""
    tags = re.findall(r"^Tag: (.+)$", wheel, re.MULTILINE)
    if not any("manylinux" in tag or "musllinux" in tag for tag in tags):
        return (
            "Argon2 was built from source and not taken as published. If that was `make argon2-native` there is"
            " nothing to gain; it cannot be seen from here."
        )
    flags = re.search(r"^flags\s*: (.+)$", cpuinfo, re.MULTILINE)
    if flags is None:
        return "Whether a build for this processor helps is not known: compare before and after `make argon2-native`."
    for flag, name in WIDE_INSTRUCTIONS.items():
        if flag in flags[1].split():
            return (
                f"Argon2 is the published build, for any processor. This one has {name}: `make argon2-native` builds it"
                " anew, for two to three times the hashes. Then tune again."
            )
    return "Argon2 is the published build, and this processor has neither AVX2 nor AVX-512 to gain by another."


def _wheel() -> str:
    try:
        return distribution("argon2-cffi-bindings").read_text("WHEEL") or ""
    except PackageNotFoundError:
        return ""
