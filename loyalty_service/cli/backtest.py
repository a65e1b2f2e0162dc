"""`loyalty program backtest`: what a draft would have cost, beside what the rules did cost."""

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock, db
from loyalty_service.cli.context import fail, json_option, with_app
from loyalty_service.cli.drafts import draft_file, read_draft
from loyalty_service.cli.tables import NO_TIER, columns, counted, signed, tier_rows
from loyalty_service.domain import backtesting, calendar, money, replaying
from loyalty_service.domain.backtesting import Difference, Report, Side, Unplayed
from loyalty_service.domain.program import Program
from loyalty_service.domain.program.document import PointValue

_day = click.DateTime(["%Y-%m-%d"])
_POINTS = {
    "issued": "points issued",
    "taken_back": "points taken back",
    "expired": "points expired",
    "outstanding": "points outstanding",
    "debt": "points owed by members",
    "short": "points spent and not there",
}
_REASONS = {
    "currency_not_priced": "{count} in {about}: the draft prices another currency",
    "validation_failed": "{count} of type {about}: the draft does not know it, or not its data",
    "points_too_many": "{count} that would earn more points than can be kept",
    "amendment_not_kept": "{count} whose amendment was replaced by a later one and not kept",
    "not_known_here": "{count} of a kind that is not lived again",
}


@click.command()
@draft_file("DRAFT")
@click.option("--since", type=_day, required=True, help="The first day of the draft.")
@click.option("--until", type=_day, help="The last day; today where it is left out.")
@click.option("--top", type=click.IntRange(0, 1000), default=10, help="How many members to name.")
@json_option
@with_app
def backtest(draft: Path, since: datetime, until: datetime | None, top: int, as_json: bool) -> None:
    """Live what was recorded again as if DRAFT had been applied on a day, and compare.

    Orders with their amendments, cancellations and refunds, events, redemptions and adjustments
    go through the draft and through the rules that really decided, in memory and in the order in
    which they came. Nothing is written.
    """
    _, rules = read_draft(draft)
    first, end = _span(rules, since, until)
    report = db.read(lambda session: _run(session, rules, first, end, top, as_json))
    if as_json:
        click.echo(json.dumps(_plain(rules.id, report)))
    else:
        click.echo("\n".join(_told(rules, report)))


def _span(rules: Program, since: datetime, until: datetime | None) -> tuple[datetime, datetime]:
    """The first moment of the first day, and the one after the last day, or now."""
    now = db.read(lambda session: clock.now())
    first = calendar.first_moment(since.date(), rules.zone)
    last = calendar.first_moment(until.date() + timedelta(days=1), rules.zone) if until else now
    if first >= min(last, now):
        fail("--since is not before --until, or it is not past yet")
    return first, min(last, now)


def _run(
    session: Session, rules: Program, since: datetime, until: datetime, top: int, as_json: bool
) -> Report:
    members = replaying.count(session, rules.id, until)
    hidden = as_json or not sys.stderr.isatty()
    steps = max(1, members // 200)
    with click.progressbar(
        length=members,
        label="Living it again",
        file=sys.stderr,
        hidden=hidden,
        update_min_steps=steps,
    ) as bar:
        return backtesting.run(
            session,
            rules.id,
            rules,
            since=since,
            until=until,
            top=top,
            progress=lambda: bar.update(1),
        )


def _told(rules: Program, report: Report) -> Iterator[str]:
    days = [calendar.local_date(at, rules.zone) for at in (report.since, report.until)]
    yield (
        f"Program {rules.id} from {days[0]} until {days[1]}: "
        f"{counted(report.members, 'member')}, {counted(report.facts, 'fact')} lived again."
    )
    yield ""
    yield from columns(list(_figures(report)))
    for name, side in (("draft", report.draft), ("today", report.today)):
        yield f"  {_worth(name, side)}"
    if report.draft.short:
        yield "  Points spent and not there: the members had them, and under the draft would not."
    yield ""
    yield from _tiers(report)
    yield from _members("Who gains most:", report.gainers)
    yield from _members("Who loses most:", report.losers)
    unplayed = [*report.refused, *report.unreadable]
    if unplayed:
        yield "Not lived again:"
        yield from (f"  {_why(one)}" for one in unplayed)


def _figures(report: Report) -> Iterator[tuple[str, str, str, str]]:
    yield "", "draft", "today", ""
    for name, words in _POINTS.items():
        draft, today = getattr(report.draft, name), getattr(report.today, name)
        yield words, f"{draft:,}", f"{today:,}", signed(draft - today)
    yield "what these are worth", _money(report.draft), _money(report.today), ""


def _money(side: Side) -> str:
    if side.liability_minor is None:
        return "not known"
    return f"{money.format_major(side.liability_minor, side.currency)} {side.currency.upper()}"


def _worth(name: str, side: Side) -> str:
    value, currency = side.value, side.currency
    if value is None:
        return f"{name}: no point_value and no reward with an amount off say what they are worth."
    amount = f"{money.format_major(value.amount_minor, currency)} {currency.upper()}"
    return f"{name}: {counted(value.points, 'point')} count {amount}."


def _tiers(report: Report) -> Iterator[str]:
    if not {*report.draft.tiers, *report.today.tiers} - {None}:
        return
    rows = [("members by tier at the end", "draft", "today", "")]
    for tier, draft, today in tier_rows(report.draft.tiers, report.today.tiers):
        rows.append((tier, f"{draft:,}", f"{today:,}", signed(draft - today)))
    yield from columns(rows)
    yield ""


def _members(title: str, members: Sequence[Difference]) -> Iterator[str]:
    if not members:
        return
    yield title
    yield from columns([(one.member, one.external_id, signed(one.points)) for one in members])
    yield ""


def _why(one: Unplayed) -> str:
    count = counted(one.count, "fact")
    words = _REASONS.get(one.reason, "{count}: " + one.reason)
    return words.format(count=count, about=one.about)


def _plain(program_id: str, report: Report) -> dict[str, Any]:
    return {
        "program": program_id,
        "since": canonical.timestamp(report.since),
        "until": canonical.timestamp(report.until),
        "members": report.members,
        "facts": report.facts,
        "draft": _side(report.draft),
        "today": _side(report.today),
        "gain": [_difference(one) for one in report.gainers],
        "lose": [_difference(one) for one in report.losers],
        "not_replayed": [
            {"reason": one.reason, "about": one.about or None, "facts": one.count}
            for one in [*report.refused, *report.unreadable]
        ],
    }


def _side(side: Side) -> dict[str, Any]:
    worth = side.liability_minor
    liability = None if worth is None else {"amount": worth, "currency": side.currency}
    return {
        **{f"points_{name}": getattr(side, name) for name in (*_POINTS, "available", "pending")},
        "liability": liability,
        "point_value": _value(side.value) if side.value else None,
        "tiers": {tier or NO_TIER: members for tier, members in _sorted(side)},
    }


def _sorted(side: Side) -> list[tuple[str | None, int]]:
    return sorted(side.tiers.items(), key=lambda pair: (-pair[1], pair[0] or ""))


def _value(value: PointValue) -> dict[str, Any]:
    return {"points": value.points, "amount": value.amount_minor}


def _difference(one: Difference) -> dict[str, Any]:
    return {"member": one.member, "external_id": one.external_id, "points": one.points}
