"""Samples to a markdown report: the medians first, then every round."""

import datetime
import statistics

UNIT = {"cpu": "CPU us a request", "rps": "requests/s", "memory": "bytes a connection"}
BETTER = {"cpu": "lower is better", "rps": "higher is better", "memory": "lower is better"}


def markdown(samples, *, peers, about, rounds, seconds):
    today = datetime.date.today().isoformat()
    lines = [f"# {' / '.join(peers)}, {today}", "", *[f"- {line}" for line in about],
             f"- {rounds} interleaved rounds of {seconds} s for each peer", ""]
    measures = [measure for measure in UNIT if any(sample.measure == measure for sample in samples)]
    for measure in measures:
        lines += _summary([sample for sample in samples if sample.measure == measure], peers, measure)
    for measure in measures:
        lines += _rounds([sample for sample in samples if sample.measure == measure], peers, measure)
    return "\n".join(lines)


def _summary(samples, peers, measure):
    """A row a workload: the medians of each peer, and the medians of the ratios."""
    first, others = peers[0], peers[1:]
    lines = [f"## {UNIT[measure]} (medians; {BETTER[measure]})", "",
             *_head(["workload", *[_column(peer, measure) for peer in peers],
                     *[f"**{first}/{other}**" for other in others]])]
    for workload in _in_order(sample.workload for sample in samples):
        of = {peer: [s for s in samples if s.workload == workload and s.peer == peer] for peer in peers}
        # A peer that cannot do it has no samples.
        lines.append(_row([workload, *[_cell(of[peer], measure) if of[peer] else "-" for peer in peers],
                           *[f"**{statistics.median(_ratios(of[first], of[other])):.2f}**" if of[first] and of[other]
                             else "-" for other in others]]))
    return [*lines, ""]


def _rounds(samples, peers, measure):
    lines = []
    for workload in _in_order(sample.workload for sample in samples):
        took_part = [peer for peer in peers if any(s.workload == workload and s.peer == peer for s in samples)]
        first, others = took_part[0], took_part[1:]
        of = {peer: [s for s in samples if s.workload == workload and s.peer == peer] for peer in took_part}
        lines += [f"### {workload}: {UNIT[measure]}, round by round", "",
                  *_head(["round", *took_part, *[f"{first}/{other}" for other in others]])]
        for number, row in enumerate(zip(*of.values())):
            lines.append(_row([number + 1, *[_number(sample.value) for sample in row],
                               *[f"{row[0].value / sample.value:.2f}" for sample in row[1:]]]))
        lines.append("")
    return lines


def _ratios(numerators, denominators):
    return [a.value / b.value for a, b in zip(numerators, denominators)]


def _column(peer, measure):
    return {"cpu": f"{peer} (user + system), p50/p99", "rps": f"{peer}, p50/p99", "memory": peer}[measure]


def _cell(samples, measure):
    def median(what):
        return statistics.median(getattr(sample, what) for sample in samples)

    value = _number(median("value"))
    latency = f"{_time(median('p50_us'))}/{_time(median('p99_us'))}"
    if measure == "cpu":
        user = median("user")
        return f"{value} ({_number(user)} + {_number(median('value') - user)}), {latency}"
    return f"{value}, {latency}" if measure == "rps" else value


def _number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"


def _time(us):
    return f"{us / 1000:.1f} ms" if us >= 1000 else f"{us:.0f} us"


def _in_order(names):
    return list(dict.fromkeys(names))


def _head(cells):
    return [_row(cells), _row(["---"] * len(cells))]


def _row(cells):
    return "| " + " | ".join(map(str, cells)) + " |"
