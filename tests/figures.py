"""What /metrics says, as tests read it."""

from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from tests.shop import Shop

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(text: str) -> Figures:
    """Every sample by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(shop: Shop) -> Figures:
    """What this process counts."""
    answer = shop.app.test_client().get("/metrics")
    assert answer.status_code == 200, answer.text
    return read(answer.text)


def named(figures: Figures, name: str, **labels: str) -> int:
    """One figure; nought where it is not told yet."""
    return int(figures.get((name, tuple(sorted(labels.items()))), 0))


def added(shop: Shop, doing: Callable[[], object]) -> dict[str, int]:
    """What something adds to the figures: `name{label values}` -> how much; buckets left out."""
    before = of(shop)
    doing()
    after = of(shop)
    grown = {key: int(value - before.get(key, 0)) for key, value in after.items()}
    return {
        f"{name}{{{','.join(value for _, value in labels)}}}": more
        for (name, labels), more in grown.items()
        if more and not name.endswith(("_bucket", "_sum"))
    }
