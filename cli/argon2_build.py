"""The installed build of Argon2, and whether a build for this processor would be faster."""

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")

# Argon2 has code for these instructions. Published builds leave it out, since they must run on any
# processor. The widest come first.
WIDE_INSTRUCTIONS = {"avx512f": "AVX-512", "avx2": "AVX2"}

_COMPARE = "Compare before and after `make argon2-native`."


def advice() -> str:
    """Return one or two sentences for the operator of this machine."""
    if sys.platform != "linux":
        return f"This system does not tell whether a build for its processor is faster. {_COMPARE}"
    return advice_for(_wheel(), CPUINFO.read_text() if CPUINFO.exists() else "")


def advice_for(wheel: str, cpuinfo: str) -> str:
    """Return the advice for Linux, where the tag of a wheel shows whether it was published or built
    on this machine (PEP 600, PEP 656).

    ``wheel`` is the metadata of the installed wheel, ``cpuinfo`` the content of ``/proc/cpuinfo``.
    """
    tags = re.findall(r"^Tag: (.+)$", wheel, re.MULTILINE)
    if not any("manylinux" in tag or "musllinux" in tag for tag in tags):
        return "Argon2 was built from source. If `make argon2-native` built it, there is nothing to gain."
    flags = re.search(r"^flags\s*: (.+)$", cpuinfo, re.MULTILINE)
    if flags is None:
        return f"It is not known whether a build for this processor is faster. {_COMPARE}"
    for flag, name in WIDE_INSTRUCTIONS.items():
        if flag in flags[1].split():
            return (
                f"Argon2 is the published build, for any processor. This processor has {name}:"
                " `make argon2-native` builds Argon2 for it, which is two to three times as fast."
                " Then run `gatehouse tune` again."
            )
    return (
        "Argon2 is the published build. This processor has neither AVX2 nor AVX-512, so another build"
        " would not be faster."
    )


def _wheel() -> str:
    try:
        return distribution("argon2-cffi-bindings").read_text("WHEEL") or ""
    except PackageNotFoundError:
        return ""
