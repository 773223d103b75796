"""The plots. They have a white background, as the page that shows them may be dark."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot

from benchmarks import targets
from benchmarks.placements import KINDS, OTHER_CORE, SAME_CORE, SQLITE
from benchmarks.ratios import (
    CONNECTIONS,
    Ratios,
    Round,
    relative_to,
    relative_to_fewest_users,
)
from benchmarks.tables import least_favourable_first
from benchmarks.thresholds import ME_MULTIPLES

COLOURS = {OTHER_CORE: "#0072b2", SAME_CORE: "#d55e00", SQLITE: "#009e73"}
HEIGHTS = {OTHER_CORE: -0.27, SAME_CORE: 0, SQLITE: 0.27}
PEERS = [peer.name for peer in targets.ME_PEERS]

mpl.use("svg")
mpl.rcParams.update(
    {
        "axes.spines.right": False,
        "axes.spines.top": False,
        "font.size": 11,
        "svg.hashsalt": "the same figures give the same file",
    }
)


def peer_comparison(rounds: Sequence[Round], path: Path) -> None:
    figure, axes = pyplot.subplots(figsize=(8, 5))
    peers = least_favourable_first({peer: _by_kind(rounds, peer) for peer in PEERS})
    for row, (peer, by_kind) in enumerate(peers.items()):
        for kind, ratios in by_kind.items():
            spread = [[ratios.median - ratios.lowest], [ratios.highest - ratios.median]]
            place = row + HEIGHTS[kind]
            axes.barh(place, ratios.median, 0.25, xerr=spread, color=COLOURS[kind], capsize=2)
        if peer in ME_MULTIPLES:
            axes.vlines(ME_MULTIPLES[peer], row - 0.45, row + 0.45, "black", linestyles="dashed")
    axes.set_yticks(range(len(peers)), peers)
    axes.invert_yaxis()
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("requests a second for `me` with 16 connections, as a multiple of the peer's")
    for kind, colour in COLOURS.items():
        axes.barh(0, 0, color=colour, label=kind)
    axes.vlines([], 0, 0, "black", linestyles="dashed", label="threshold")
    axes.legend(frameon=False, loc="upper right")
    _save(figure, path)


def _by_kind(rounds: Sequence[Round], peer: str) -> dict[str, Ratios]:
    """Return the ratios with the connections of the thresholds."""
    return {
        place.kind: ratios
        for place, ratios in relative_to(rounds, peer).items()
        if place.connections == CONNECTIONS
    }


def growth(rounds: Sequence[Round], path: Path) -> None:
    kinds = [kind for kind in KINDS if kind in rounds[0]]
    figure, panels = pyplot.subplots(1, len(kinds), figsize=(9, 4), sharey=True)
    sizes = rounds[0][kinds[0]]
    fewest = next(iter(sizes))
    for operation in sizes[fewest]:
        ratios = [relative_to_fewest_users(rounds, users, operation) for users in sizes]
        for kind, axes in zip(kinds, panels, strict=True):
            medians = [each[kind].median for each in ratios]
            axes.plot([int(users) for users in sizes], medians, marker="o", label=operation)
            axes.set_title(kind)
    for axes in panels:
        axes.set_xscale("log")
        axes.set_xticks([int(users) for users in sizes], [f"{int(users):,}" for users in sizes])
        axes.minorticks_off()
        axes.set_xlabel("users")
        axes.grid(axis="y", alpha=0.3)
    panels[0].set_ylim(bottom=0)
    panels[0].set_ylabel(f"time, relative to {int(fewest):,} users")
    lines = panels[0].get_lines()
    figure.legend(handles=lines, frameon=False, loc="lower center", ncols=len(lines))
    figure.subplots_adjust(bottom=0.24)
    _save(figure, path)


def _save(figure: pyplot.Figure, path: Path) -> None:
    figure.savefig(path, bbox_inches="tight", facecolor="white", metadata={"Date": None})
    pyplot.close(figure)
