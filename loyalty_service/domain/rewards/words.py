"""What a customer reads about who may have a reward: one small function a sentence."""

from collections.abc import Sequence

FOR_SOME = "This reward is for certain members only."
TELL_US = "Please tell us your birthday first."

_WEEK_DAYS = 7


def for_tiers(names: Sequence[str]) -> str:
    """For members of these tiers."""
    return f"This reward is for {_and(names)} members."


def around_birthday(days: int) -> str:
    """For so many days from the reader's birthday on."""
    return f"This reward can be had {_around(days, 'your')}."


def around_birthdays(windows: Sequence[tuple[str | None, int]]) -> str:
    """The same by the name of a tier; None names every other tier."""
    if [name for name, _ in windows] == [None]:
        return around_birthday(windows[0][1])
    told = [
        f"{f'by {name} members' if name else 'by everybody else'} {_around(days, 'their')}"
        for name, days in sorted(windows, key=lambda window: window[0] is None)
    ]
    return f"This reward can be had {_and(told)}."


def _around(days: int, whose: str) -> str:
    if days == 1:
        return f"on {whose} birthday"
    if days == _WEEK_DAYS:
        return f"in the week of {whose} birthday"
    return f"in the {days} days from {whose} birthday on"


def _and(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
