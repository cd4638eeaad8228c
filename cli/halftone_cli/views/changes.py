"""An audit record for people: what changed, in words."""

from collections.abc import Mapping

from halftone.domain.audit import AuditRecord
from halftone_cli.views.setting_text import setting

_SERVING = ("champion", "package")
_ROLLOUT = ("phase", "share", "target", "challenger", "candidate", "stage", "rollout")
_PERCENT = ("share", "target", "mirror")
_UNBORN: Mapping[str, object] = {"share": 0.0, "target": 0.0, "mirror": 0.0, "stage": -1}
"""What every rollout begins with, which is no news."""


def what_changed(record: AuditRecord) -> str:
    """The fields that differ between before and after: ``phase preparing → shifting, …``."""
    before = dict(record.before)
    if before.get("rollout") != record.after.get("rollout"):
        # A new rollout is told as such, not as what it differs in from the last one.
        lasting = {name: before[name] for name in before if name not in _ROLLOUT}
        before = {**lasting, **_UNBORN}
    changes = []
    others = sorted({*before, *record.after} - {*_SERVING, *_ROLLOUT, "settings"})
    for name in (*_SERVING, *_ROLLOUT, *others):
        old, new = before.get(name), record.after.get(name)
        if old != new and not (new is None and old == _UNBORN.get(name)):
            changes.append(f"{name} {_arrow(name, old)}{_shown(name, new)}")
    was, now = _settings(record.before), _settings(record.after)
    changes += [
        f"{name.replace('_', ' ')} {setting(was.get(name)) or 'none'} → {setting(value) or 'none'}"
        for name, value in now.items()
    ]
    return ", ".join(changes) or "-"


def _settings(side: Mapping[str, object]) -> Mapping[str, object]:
    settings = side.get("settings")
    return settings if isinstance(settings, Mapping) else {}


def _arrow(name: str, old: object) -> str:
    return "" if old is None else f"{_shown(name, old)} → "


def _shown(name: str, value: object) -> str:
    if value is None:
        return "none"
    if name in _PERCENT and isinstance(value, int | float):
        return f"{value:g} %"
    return str(value + 1) if name == "stage" and isinstance(value, int) else str(value)
