"""The rounds: peers take turns, and every turn gives one Sample.

cpu     one worker on core 0, client and origin on core 1: the peer's processor time a request.
rps     two workers, nothing pinned: requests a second of the whole machine.
memory  one worker, idle connections that each did one request: bytes a connection.
"""

import contextlib
import dataclasses
import pathlib
import sys
import tempfile

from kit import h2load, idle, wrk
from kit.failure import Failure
from kit.ajp_origin import AjpOrigin
from kit.grpc_origin import GrpcOrigin
from kit.origin import Origin
from kit.peers import Started
from kit.processes import running

MEASURES = ["cpu", "rps", "memory"]
PEER_CORE, OTHERS_CORE = "0", "1"
WARM_UP_SECONDS = 1


@dataclasses.dataclass(frozen=True)
class Sample:
    workload: str
    measure: str
    round: int
    peer: str
    value: float  # cpu: us a request; rps: requests a second; memory: bytes a connection
    user: float = 0.0  # cpu only, us a request
    p50_us: float = 0.0
    p99_us: float = 0.0


def run(workloads, peers, *, measures, rounds, seconds, folder):
    plan = [(workload, measure) for workload in workloads for measure in measures
            if (measure == "memory") == workload.idle]
    if not plan:
        raise Failure("nothing to measure: --only memory goes with idle-memory, cpu and rps with the others")
    samples = []
    for workload, measure in plan:
        take = {"cpu": _take_cpu, "rps": _take_rps, "memory": _take_memory}[measure]
        with contextlib.ExitStack() as stack:
            own = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
            able = [peer for peer in peers if workload.mode in peer.modes]
            if not able:
                raise Failure(f"{workload.name}: none of {', '.join(peer.name for peer in peers)} can do {workload.mode}")
            for sample in take(workload, able, rounds=rounds, seconds=seconds, folder=own):
                print(f"{sample.workload:12} {sample.measure:6} round {sample.round + 1}  {sample.peer:10} "
                      f"{sample.value:12.2f}", file=sys.stderr, flush=True)
                samples.append(sample)
    return samples


def turns(peers, round_number):
    """A B C, then B C A: no peer is always the one behind a busy neighbour."""
    shift = round_number % len(peers)
    return peers[shift:] + peers[:shift]


@contextlib.contextmanager
def _field(workload, peers, *, folder, workers, peer_cores=None, origin_cores=None):
    """The origin and all peers, started together; a peer without traffic costs the others nothing."""
    origin = {"ajp": AjpOrigin, "grpc": GrpcOrigin}.get(workload.mode, Origin)(folder=folder, workers=workers, cores=origin_cores)
    with contextlib.ExitStack() as stack:
        stack.enter_context(running(origin.process))
        origin.wait_ready()
        started = []
        for peer in peers:
            one = Started(peer, workload, origin=origin.address, files=origin.folder,
                          folder=folder, workers=workers, cores=peer_cores)
            stack.enter_context(running(one.process))
            started.append(one)
        for one in started:
            one.wait_ready()
        yield started


def _take_cpu(workload, peers, *, rounds, seconds, folder):
    load = {"threads": 1, "cores": OTHERS_CORE}
    with _field(workload, peers, folder=folder, workers=1, peer_cores=PEER_CORE, origin_cores=OTHERS_CORE) as field:
        _warm_up(workload, field, load)
        for number in range(rounds):
            for peer in turns(field, number):
                with peer.process.cpu() as used:
                    done = _client(workload).run(workload, port=peer.port, seconds=seconds, peer=peer.name, **load)
                cpu = used()
                yield Sample(workload.name, "cpu", number, peer.name, value=cpu.total / done.requests,
                             user=cpu.user / done.requests, p50_us=done.p50_us, p99_us=done.p99_us)


def _take_rps(workload, peers, *, rounds, seconds, folder):
    load = {"threads": 2, "cores": None}
    with _field(workload, peers, folder=folder, workers=2) as field:
        _warm_up(workload, field, load)
        for number in range(rounds):
            for peer in turns(field, number):
                done = _client(workload).run(workload, port=peer.port, seconds=seconds, peer=peer.name, **load)
                peer.process.check_alive()
                yield Sample(workload.name, "rps", number, peer.name, value=done.requests / done.seconds,
                             p50_us=done.p50_us, p99_us=done.p99_us)


def _client(workload):
    return h2load if workload.is_http2 else wrk


def _warm_up(workload, field, load):
    for peer in field:
        _client(workload).run(workload, port=peer.port, seconds=WARM_UP_SECONDS, peer=peer.name, **load)


def _take_memory(workload, peers, *, rounds, seconds, folder):
    del seconds
    for number in range(rounds):
        for peer in turns(peers, number):
            with tempfile.TemporaryDirectory(dir=folder) as own:
                with _field(workload, [peer], folder=pathlib.Path(own), workers=1) as (started,):
                    grown = idle.bytes_a_connection(started, workload)
            yield Sample(workload.name, "memory", number, peer.name, value=grown)
