"""Figures as tables of the document, between two marks.

Owns what is shown and how; the words around the tables are written by hand.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from server.embedded import PROJECT

DOCUMENT = PROJECT / "docs" / "attribution-quality.md"

_BEGIN = "<!-- measured: written by make bench NAME=attribution -->"
_END = "<!-- end of measured -->"


def put_into_document(written: str, document: Path = DOCUMENT) -> None:
    """Replace what stands between the marks. Raises ValueError without them."""
    before, begin, rest = document.read_text("utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{document} has lost the marks around its figures")
    document.write_text(f"{before}{_BEGIN}\n\n{written}\n{_END}{after}", "utf-8")


def written(figures: Mapping[str, Any]) -> str:
    """Return all tables as Markdown."""
    made = (
        f"Measured {figures['measured_at'][:10]} with seed {figures['seed']}, Python "
        f"{figures['machine']['python']}, NumPy {figures['machine']['numpy']}; brackets are 95 % "
        "bootstrap intervals over outputs."
    )
    parts = [made, _retrieval("Known origins", figures["cascade"])]
    parts += [_trade_off(figures["cascade"]), _by_length(figures["cascade"])]
    parts += [_ngram(figures["ngram"]), _sybil(figures["sybil"]), _merging(figures["sybil"])]
    if "digits" in figures:
        parts.append(_digits(figures["digits"]))
    if "pictures" in figures:
        parts.append(pictures(figures["pictures"]))
    return "\n\n".join(parts) + "\n"


def _retrieval(title: str, found: Mapping[str, Any]) -> str:
    rows = [
        [
            row["method"],
            _with_interval(row["share_error_interval"]),
            *(f"{row['share_error_by_kind'][k]:.3f}" for k in ("verbatim", "reworded", "noisy", "mixture")),
            _with_interval(row["paid_on_negatives_interval"]),
            f"{row['first_right']['reworded']:.2f} / {row['first_right']['noisy']:.2f}",
            f"{row['auroc_strangers']:.3f}",
        ]
        for row in found["rows"]
    ]  # fmt: skip
    head = ["method", "share error, all", "repeated", "reworded", "noisy", "mixture",
            "paid on strangers", "first is right, reworded / noisy", "AUROC strangers"]  # fmt: skip
    said = ", ".join(f"{name} {value}" for name, value in found["calibration"].items())
    return (
        f"### {title}\n\n{found['works']} registered works, {found['outputs']} outputs to test on."
        f"\n\n{_table(head, rows)}\n\nCalibration of the cascade: {said}"
        f"{' (as shipped)' if found['calibration_is_shipped'] else ''}."
    )


def _trade_off(found: Mapping[str, Any]) -> str:
    rows = [
        [f"{each['higher']:+d}", f"{each['paid_on_negatives']:.3f}", f"{each['share_error']:.3f}"]
        for each in found["trade_off"]
    ]
    return "### What another threshold would cost (cascade)\n\n" + _table(
        ["threshold, in units of the logit", "paid on strangers", "share error, all"], rows
    )


def _by_length(found: Mapping[str, Any]) -> str:
    rows = [
        [
            str(each["words"]),
            _with_interval(each["paid_on_negatives"]),
            _with_interval(each["share_error_reworded"]),
        ]
        for each in found["by_length"]
    ]
    return "### Short outputs (cascade)\n\n" + _table(
        ["first words of the output", "paid on strangers", "share error, reworded"], rows
    )


def _ngram(found: Mapping[str, Any]) -> str:
    rows = [
        [row["method"], _with_interval(row["lds"]), _with_interval(row["share_error"])]
        for row in found["rows"]
    ]
    return (
        "### True causes in a small model\n\n"
        f"{found['outputs']} outputs of a 3-gram model of {found['works']} works by "
        f"{found['creators']} creators; every one of {2 ** found['creators']:,} subsets of "
        "creators.\n\n"
        + _table(["method", "LDS (works)", "share error against Shapley (creators)"], rows)
        + f"\n\nThe best scores that fit retrainings linearly reach an LDS of "
        f"{_with_interval(found['lds_ceiling'])}. An audit by 50 orders instead of all subsets "
        f"errs by {found['audit_error']:.3f}. Subsets were computed without training again and "
        f"agree with models trained again to {found['difference_from_retraining_nats']:.0e} nats."
    )


def _sybil(found: Mapping[str, Any]) -> str:
    rows = [
        [
            f"{row['edited']:.0%}",
            str(row["copies"]),
            f"{row['median_overlap']:.2f}",
            f"{row['clustered']:.0%}",
            *(_gain(row, name) for name in ("softmax", "shapley", "similarity", "verbatim")),
        ]
        for row in found["rows"]
        if row["copies"] in {1, 20}
    ]
    head = ["words exchanged", "copies", "overlap", "clustered", "softmax", "shapley",
            "similarity", "verbatim"]  # fmt: skip
    return (
        "### Copies of a work that is no source\n\n"
        "What its owner gains by registering copies, without clusters → with them; 1.0 is no gain."
        f"\n\n{_table(head, rows)}\n\nTwo different works here overlap by at most "
        f"{found['largest_overlap_of_different_works']:.2f}; a cluster needs "
        f"{found['least_overlap_of_a_cluster']:.2f}."
    )


def _merging(found: Mapping[str, Any]) -> str:
    limits = found["merging"]
    edits, quoted = list(limits[0]["gains"]), list(limits[0]["quoting"])
    rows = [
        [
            f"{each['least']:.2f}",
            *(f"{each['gains'][edit]:.2f}" for edit in edits),
            *(f"{each['quoting'][part]:.0%}" for part in quoted),
            f"{each['revised']:.0%}",
            f"{each['different']:.1%}",
        ]
        for each in limits
    ]
    head = [
        "least overlap",
        *(f"gain, {float(edit):.0%} exchanged" for edit in edits),
        *(f"{float(part):.0%} quotation merged" for part in quoted),
        "revisions merged",
        "different works merged",
    ]
    return (
        "### What a cluster puts together\n\nGains of 20 copies by softmax, and how many pairs "
        f"that are no copies become one cluster; {limits[0]['pairs']:,} pairs of different "
        f"works.\n\n{_table(head, rows)}"
    )


def _gain(row: Mapping[str, Any], method: str) -> str:
    if method not in row["before"]:
        return f"pays {row['paid'][method]:.3f}"
    return f"{row['before'][method]:.1f} → {row['after'][method]:.2f}"


def _digits(found: Mapping[str, Any]) -> str:
    names = {
        "lds_random": "random scores",
        "lds_linear_fit_40_halves": "a linear fit to 40 retrainings",
        "lds_read_backwards": "TRAK of 10 models, read backwards",
        "lds_imported": "TRAK of 10 models, imported",
        "lds_top_100": "the same, 100 of 1,000 rows kept",
        "lds_weights": "weights that `reported` pays (40 outputs)",
    }
    rows = [[said, _with_interval(found[name])] for name, said in names.items()]
    return (
        "### An operator's own scores, imported\n\n"
        f"Digits, softmax regression, {found['retrainings']} retrainings on random halves.\n\n"
        f"{_table(['scores', 'LDS'], rows)}\n\nNo value changed by the import (largest difference "
        f"{found['largest_change_by_import']:g}); 100 rows leave out "
        f"{found['outside_mass_top_100']['mean']:.0%} of the positive scores, and say so."
    )


def pictures(found: Mapping[str, Any]) -> str:
    """Return the table of embedders for pictures."""
    kinds = list(found["rows"][0]["first_right"])
    rows = [
        [
            row["embedder"],
            _with_interval(row["share_error"]),
            _with_interval(row["paid_on_negatives"]),
            *(f"{row['first_right'][kind]:.2f}" for kind in kinds),
            f"{row['auroc_strangers']:.3f}",
        ]
        for row in found["rows"]
    ]
    head = ["embedder", "share error", "paid on strangers", *kinds, "AUROC strangers"]
    return (
        "### Pictures by their vectors\n\n"
        f"{found['works']} registered pictures, {found['strangers']} strangers, altered by hand; "
        "coefficients fitted on one half of the outputs, the table is of the other "
        f"({found['rows'][0]['tested_on']['of works']} of works, "
        f"{found['rows'][0]['tested_on']['of strangers']} of strangers). By kind: how often the "
        f"best work is a source.\n\n{_table(head, rows)}"
    )


def _with_interval(found: Mapping[str, float]) -> str:
    return f"{found['mean']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
