"""The exchange with departments as figures for Prometheus, read when somebody fetches them."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from backoffice.watching import DepartmentFigures, ExchangeFigures, StreamFigures, Watch
from storage.errors import StoreUnavailable

_GAUGES = {
    "unsent": "Messages to a department that no stream or call has carried yet.",
    "oldest_unsent_seconds": "How long the oldest of them waits.",
    "unconfirmed": "Messages that were carried and are not confirmed.",
    "oldest_unconfirmed_seconds": "How long ago the oldest of them was carried.",
    "held": "Messages that a department refused or that do not open here, and that wait for an officer.",
    "poison": "Messages of a department that alone cannot take effect and wait for an officer.",
    "parked": "Messages of a department whose case line waits for an officer.",
    "oldest_set_aside_seconds": "How long the oldest of these waits.",
}


async def exchange_metrics(watch: Watch) -> list[Metric]:
    """What Prometheus is told of the exchange; without the database only that there is nothing to tell."""
    try:
        figures = await watch.figures()
    except StoreUnavailable:
        return [GaugeMetricFamily("mobile_api_exchange_database_up", "Whether the database could be asked.", 0)]
    return [
        GaugeMetricFamily("mobile_api_exchange_database_up", "Whether the database could be asked.", 1),
        GaugeMetricFamily("mobile_api_exchange_redis_up", "Whether Redis could be asked.", int(figures.is_redis_there)),
        *_waiting(figures),
        *_streams(figures),
        _link(figures),
        _counted(figures),
    ]


def _waiting(figures: ExchangeFigures) -> Iterator[Metric]:
    for name, text in _GAUGES.items():
        family = GaugeMetricFamily(f"mobile_api_exchange_{name}", text, labels=["department"])
        for one in figures.items:
            family.add_metric([one.department], getattr(one, name))
        yield family


def _streams(figures: ExchangeFigures) -> Iterator[Metric]:
    labels = ["department", "stream", "partition"]
    entries = GaugeMetricFamily("mobile_api_exchange_stream_entries", "Entries of a stream.", labels=labels)
    pending = GaugeMetricFamily("mobile_api_exchange_stream_pending", "Entries that were read and are not dealt with.", labels=labels)
    for one in figures.items:
        for stream, partition, found in _of_department(one):
            if found.entries is not None and found.pending is not None:
                entries.add_metric([one.department, stream, partition], found.entries)
                pending.add_metric([one.department, stream, partition], found.pending)
    yield entries
    yield pending


def _of_department(one: DepartmentFigures) -> Iterator[tuple[str, str, StreamFigures]]:
    for lane in one.lanes:
        yield "commands", str(lane.partition), lane.commands
        yield "answers", str(lane.partition), lane.answers
    yield "confirmations", "", one.confirmations
    yield "taken", "", one.taken


def _link(figures: ExchangeFigures) -> Metric:
    family = GaugeMetricFamily("mobile_api_exchange_link", "How the link with a department stands.", labels=["department", "link", "state"])
    for one in figures.items:
        family.add_metric([one.department, one.link, one.state], 1)
    return family


def _counted(figures: ExchangeFigures) -> Metric:
    family = CounterMetricFamily(
        "mobile_api_exchange_messages", "What the carriers of all processes did, since Redis began.", labels=["department", "what"]
    )
    for one in figures.items:
        for what, number in (one.counts or {}).items():
            if number:
                family.add_metric([one.department, what], number)
    return family
