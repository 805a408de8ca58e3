"""The model card of an imported network: where it came from and what was found."""

from models.doctor.diagnosis import Converted


def card(converted: Converted) -> str:
    """README.md of the folder."""
    about, diagnosis = converted.about, converted.diagnosis
    data = about.get("data", {})
    lines = [
        f"# {_plain(about['title'])}",
        "",
        "Imported, not trained here: its data, its licence and how well it does are not known.",
        "",
    ]
    if data.get("file"):
        lines.append(f"- File: `{_plain(data['file'])}`")
    if data.get("sha256"):
        lines.append(f"- SHA-256: `{_plain(data['sha256'])}`")
    lines += [f"- {_plain(s.text)}" for s in diagnosis.says]
    if diagnosis.proof:
        worst = min(diagnosis.proof, key=lambda proof: proof.digits)
        lines += [
            "",
            "## Proof",
            "",
            f"On {_plain(diagnosis.probe)}, the formulas of its cells and torch's own layer agree "
            f"to {worst.digits} digits or more (largest difference "
            f"{worst.largest_difference:.1e}, {worst.quantity} of {worst.layer}).",
        ]
    notable = [finding for finding in diagnosis.health if finding.level != "good"]
    lines += ["", "## Health", ""]
    lines += [
        f"- {_plain(f.says)}" + (f" ({_plain(f.where)})" if f.where else "") for f in notable
    ] or ["Nothing stands out."]
    return "\n".join(lines) + "\n"


def _plain(text) -> str:
    """A stranger's words on one line, unable to start or end any markup."""
    kept = "".join(c if c.isprintable() else " " for c in str(text))
    return kept.replace("`", "'").replace("<", "‹").replace(">", "›")[:300]
