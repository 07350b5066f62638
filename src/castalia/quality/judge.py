"""Judge a draft: every rule's findings, and whether it may be delivered."""

from __future__ import annotations

from collections.abc import Sequence

from castalia.core.ports import Rule
from castalia.core.values import Draft, Finding, Judged


def judge(draft: Draft, rules: Sequence[Rule]) -> Judged:
    """Ask every rule; a rule that fails to answer refuses the draft rather than let it pass unchecked."""
    findings: list[Finding] = []
    for rule in rules:
        try:
            findings.extend(rule.check(draft))
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
            findings.append(Finding(rule=rule.name, ok=False, found=found, wanted="an answer", hint="report this bug"))
    return Judged(draft=draft, findings=tuple(findings))


def nearest(judged: Sequence[Judged]) -> Judged:
    """The draft to show when none passed: fewest broken rules, then the critic's favourite.

    Args:
        judged: At least one.
    """
    return min(judged, key=lambda one: (len(one.broken), -one.draft.score))


def with_finding(judged: Judged, rule: str, found: str, hint: str) -> Judged:
    """The same draft, refused for one more reason that came up after judging."""
    finding = Finding(rule=rule, ok=False, found=found, hint=hint)
    return judged.model_copy(update={"findings": (*judged.findings, finding)})
