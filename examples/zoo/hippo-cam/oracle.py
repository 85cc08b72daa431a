# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The CA3 content-addressable memory in NumPy, written from its tick semantics
# and independent of neuroc: weights change only when a presynaptic cell fires,
# from a history of events (the program in cam.neuro updates them every tick).
# Also the operation sequences of the three published tests and of the random
# memories, and the check of a neuroc run against all of it.
#
#   oracle.py selftest            the published results, by this code alone
#   oracle.py write DIR [TEST…]   their inputs and answers, a row per tick
#   oracle.py check TEST RUN_DIR  spikes of `neuroc run --out RUN_DIR`
import csv
import functools
import sys
from pathlib import Path

import numpy as np

TAU_SYN = 0.3
SLOW = dict(cm=0.27, tau_m=3.0, theta=-57.0)
FAST = dict(cm=0.14, tau_m=0.5, theta=-57.0)
OUT = dict(cm=0.27, tau_m=3.0, theta=-57.5)
REST = -60.0
NAMES = ["CueCue", "ContCue", "CueCont", "ContCont", "Cond", "Int",
         "MergeCue", "MergeCont", "Out"]


class Cells:
    """Current-based leaky integrate-and-fire cells, one tick at a time."""

    def __init__(self, n, cm, tau_m, theta):
        self.v = np.full(n, REST)
        self.wait = np.zeros(n, int)
        self.current = np.zeros((2, n))  # excitatory, inhibitory
        self.gain, self.leak, self.theta = tau_m / cm, np.exp(-1 / tau_m), theta

    def tick(self, arriving):
        self.current += arriving * (TAU_SYN * (1 - np.exp(-1 / TAU_SYN)))
        target = (self.current[0] - self.current[1]) * self.gain + REST
        free = self.wait == 0
        self.v = np.where(free, target - self.leak * (target - self.v), self.v)
        self.wait = np.where(free, 0, self.wait - 1)
        spikes = self.v >= self.theta
        self.v[spikes] = REST
        self.wait[spikes] = 1
        self.current *= np.exp(-1 / TAU_SYN)
        return spikes


class Plastic:
    """All-to-all synapses with additive pair rule, deferred to the pre spike."""
    TAU, STEP, TOP, DELAY = 3.0, 6.0, 6.0, 1

    def __init__(self, pres, posts):
        self.w = np.zeros((posts, pres))
        self.pre_trace, self.last_pre = np.zeros(pres), np.full(pres, -1e9)
        self.posts = [[] for _ in range(posts)]     # ticks of all spikes
        self.seen = np.zeros((posts, pres), int)    # events each pre has used

    def _decay(self, interval):
        return np.exp(-interval / self.TAU)

    def apply_post(self, pre, t):
        """Potentiation by the post events of up to tick t."""
        for post, ticks in enumerate(self.posts):
            for s in ticks[self.seen[post, pre]:]:
                if s + self.DELAY > t:
                    break
                self.seen[post, pre] += 1
                late = s + self.DELAY
                if late > self.last_pre[pre]:
                    change = self.STEP * self.pre_trace[pre] * self._decay(
                        late - self.last_pre[pre])
                    self.w[post, pre] = min(self.w[post, pre] + change,
                                            self.TOP)

    def tick(self, t, pre_spikes, post_spikes, learning=True):
        """Returns what the spikes of this tick deliver one tick later."""
        if learning:
            for pre in np.flatnonzero(pre_spikes):
                self.apply_post(pre, t)
                for post, ticks in enumerate(self.posts):
                    trace = sum(self._decay(t - s - self.DELAY) for s in ticks
                                if s + self.DELAY <= t)
                    self.w[post, pre] = max(
                        self.w[post, pre] - self.STEP * trace, 0.0)
                self.pre_trace[pre] = 1 + self.pre_trace[pre] * self._decay(
                    t - self.last_pre[pre])
                self.last_pre[pre] = t
            for post in np.flatnonzero(post_spikes):
                self.posts[post].append(t)
        return self.w @ pre_spikes


def simulate(cues, bits, inputs, gate=None):
    """inputs: [ticks, cues + bits] booleans. gate: plasticity runs in these
    ticks (default: all). Returns {population: [ticks, n]}, both plastics."""
    sizes = dict(CueCue=cues, ContCue=bits, CueCont=cues, ContCont=bits,
                 Cond=bits, Int=1, MergeCue=cues, MergeCont=bits,
                 Out=cues + bits)
    kinds = dict(CueCont=FAST, Cond=FAST, Int=FAST, Out=OUT)
    cells = {n: Cells(sizes[n], **kinds.get(n, SLOW)) for n in NAMES}
    ticks = len(inputs)
    spikes = {n: np.zeros((ticks, sizes[n]), bool) for n in NAMES}
    spikes["InCue"], spikes["InCont"] = inputs[:, :cues], inputs[:, cues:]
    eye_c, eye_b = np.eye(cues), np.eye(bits)
    others = 6.0 * bits * (1 - eye_c)
    merge_c = np.vstack([eye_c, np.zeros((bits, cues))])
    merge_b = np.vstack([np.zeros((cues, bits)), eye_b])
    static = [  # source, target, weights [post, pre], delay, inhibitory
        ("InCue", "CueCue", 6 * eye_c, 1, 0),
        ("InCont", "ContCue", 6 * eye_b, 1, 0),
        ("CueCue", "CueCont", 6 * eye_c, 2, 0),
        ("CueCue", "CueCont", others, 3, 1),
        ("CueCue", "Cond", np.full((bits, cues), 6.0), 2, 1),
        ("ContCue", "Cond", 9 * eye_b, 1, 0),
        ("ContCue", "Int", np.full((1, bits), 6.0), 1, 0),
        ("Int", "Cond", np.full((bits, 1), 2.0), 1, 0),
        ("Cond", "ContCont", 6 * eye_b, 1, 0),
        ("CueCont", "CueCont", others, 2, 1),
        ("CueCue", "MergeCue", 6 * eye_c, 3, 0),
        ("CueCont", "MergeCue", 6 * eye_c, 1, 0),
        ("ContCue", "MergeCont", 6 * eye_b, 3, 0),
        ("ContCont", "MergeCont", 6 * eye_b, 1, 0),
        ("MergeCue", "Out", 6 * merge_c, 1, 0),
        ("MergeCont", "Out", 6 * merge_b, 1, 0)]
    cue_to_bit, bit_to_cue = Plastic(cues, bits), Plastic(bits, cues)
    late = {"ContCue": np.zeros(bits), "CueCont": np.zeros(cues)}
    for t in range(ticks):
        now = {}
        for name in NAMES:
            arriving = np.zeros((2, sizes[name]))
            for source, target, w, delay, inhibitory in static:
                if target == name and t >= delay:
                    arriving[inhibitory] += w @ spikes[source][t - delay]
            if name in late:
                arriving[0] += late[name]
            now[name] = cells[name].tick(arriving)
        for name in NAMES:
            spikes[name][t] = now[name]
        learning = gate is None or gate[t]
        late["ContCue"] = cue_to_bit.tick(t, now["CueCue"], now["ContCue"],
                                          learning)
        late["CueCont"] = bit_to_cue.tick(t, now["ContCont"], now["CueCont"],
                                          learning)
        if gate is not None and t + 1 < ticks and gate[t] and not gate[t + 1]:
            for plastic in (cue_to_bit, bit_to_cue):
                for pre in range(plastic.w.shape[1]):
                    plastic.apply_post(pre, t + 1)
    return {n: spikes[n] for n in NAMES}, cue_to_bit, bit_to_cue


def schedule(cues, bits, operations, ticks):
    """operations: (tick, length, cue or None, bits)."""
    inputs = np.zeros((ticks, cues + bits), bool)
    for start, length, cue, chosen in operations:
        units = [cues + k for k in chosen] + ([] if cue is None else [cue])
        inputs[start:start + length, units] = True
    return inputs


def test1():
    learn = lambda t, cue, bits: (t, 3, cue, bits)
    recall = lambda t, cue=None, bits=(): (t, 1, cue, bits)
    return 5, 10, schedule(5, 10, [
        learn(0, 0, (0, 1, 8, 9)), learn(10, 4, (1, 5, 6)),
        learn(20, 3, (4, 5, 6)), recall(30, 0), recall(40, bits=(6,)),
        recall(50, bits=(0, 4)), learn(60, 3, (1, 3, 4, 8)), recall(70, 3),
        recall(80, bits=(6,))], 90)


def stress_memories():
    """Of each of three rounds, the contents of the five cues."""
    first = [{b for b in range(10) if (k + 1) >> b & 1} for k in range(5)]
    other = [set(range(10)) - content for content in first]
    return [first, other, first]


def test2():
    t, operations = 1, []
    for contents in stress_memories():
        steps = [(3, k, c) for k, c in enumerate(contents)]
        steps += [(1, k, ()) for k in range(5)]
        steps += [(1, None, (b,)) for b in range(10)]
        for length, cue, bits in steps:
            operations.append((t, length, cue, bits))
            t += 14
    return 5, 10, schedule(5, 10, operations, t + 13)


STATE_MAP = [0, 5, 1, 3, 0, 3, 4, 5, 0, 5, 4, 3, 2, 4, 4, 3]


def test3():
    operations = [(7 * k, 3, k, (s,)) for k, s in enumerate(STATE_MAP)]
    operations += [(112, 1, None, (1, 2, 4)), (118, 1, None, (3,)),
                   (124, 1, None, (5,)), (130, 1, None, (0,))]
    return 16, 6, schedule(16, 6, operations, 145)


def random_memory(cues, bits, density, seed, spacing=14):
    """Learns a random content per cue, then recalls every cue and every bit.
    Returns inputs, contents, and (tick, cue or None, bits) of the recalls."""
    random = np.random.default_rng(seed)
    content = random.random((cues, bits)) < density
    for k in np.flatnonzero(~content.any(1)):
        content[k, random.integers(bits)] = True
    learns = [(spacing * k, 3, k, np.flatnonzero(content[k]))
              for k in range(cues)]
    t, recalls = spacing * cues, []
    for cue, chosen in ([(k, ()) for k in range(cues)] +
                        [(None, (b,)) for b in range(bits)]):
        recalls.append((t, cue, chosen))
        t += spacing
    operations = learns + [(t0, 1, cue, b) for t0, cue, b in recalls]
    return schedule(cues, bits, operations, t), content, recalls


def recalled(out, cues, t, cue, chosen):
    """The answer on Out: content 6 ms after a cue, cues 6 ms after content."""
    row = out[t + 6]
    return set(np.flatnonzero(row[cues:] if cue is not None else row[:cues]))


def expected_answer(content, cue, chosen):
    if cue is not None:
        return set(np.flatnonzero(content[cue]))
    return set(np.flatnonzero(content[:, list(chosen)].any(1)))


MEMORIES = {"memory-5-10": (5, 10, 0.3, 1), "memory-5-10-dense": (5, 10, 0.6, 2),
            "memory-16-6": (16, 6, 0.3, 3), "memory-16-32": (16, 32, 0.2, 4),
            "memory-32-32": (32, 32, 0.5, 5), "memory-32-64": (32, 64, 0.1, 6)}


def inputs_of(test):
    if test == "queries":
        return *ASKED[:2], queries(ASKED)[0]
    if test in MEMORIES:
        cues, bits = MEMORIES[test][:2]
        return cues, bits, random_memory(*MEMORIES[test])[0]
    return dict(test1=test1, test2=test2, test3=test3)[test]()


# Out spikes of test 1, recorded on SpiNNaker hardware: tick, cues, content.
TEST1_OUT = [
    (5, {0}, {0, 1, 8, 9}), (7, {0}, {0, 1, 8, 9}), (15, {4}, {1, 5, 6}),
    (17, {4}, {1, 5, 6}), (25, {3}, {4, 5, 6}), (27, {3}, {4, 5, 6}),
    (35, {0}, set()), (36, set(), {0, 1, 8, 9}), (45, set(), {6}),
    (46, {3, 4}, set()), (55, set(), {0, 4}), (56, {0, 3}, set()),
    (65, {3}, {1, 3, 4, 8}), (66, set(), {5, 6}), (67, {3}, {1, 3, 4, 8}),
    (75, {3}, set()), (76, set(), {1, 3, 4, 8}), (85, set(), {6}),
    (86, {4}, set())]
TOTALS = {
    "test1": dict(CueCue=10, ContCue=42, Cond=34, Int=13, CueCont=15,
                  ContCont=34, MergeCue=15, MergeCont=42),
    "test2": dict(CueCue=45, ContCue=251, Cond=194, Int=75, CueCont=102,
                  ContCont=194)}
TEST3_OUT = {118: {2, 6, 10, 12, 13, 14}, 124: {3, 5, 11, 15},
             130: {1, 7, 9}, 136: {0, 4, 8}}


def published(test, spikes):
    """The recorded results, as far as they are published; all recalls."""
    for name, total in TOTALS.get(test, {}).items():
        found = int(spikes[name].sum())
        assert found == total, f"{test}: {name} fired {found}, not {total}"
    out = spikes["Out"]
    if test == "test1":
        found = [(t, set(np.flatnonzero(row[:5])),
                  set(np.flatnonzero(row[5:])))
                 for t, row in enumerate(out) if row.any()]
        assert found == TEST1_OUT, f"test1: Out is {found}"
    if test == "test2":
        t = 1
        for number, contents in enumerate(stress_memories()):
            t += 5 * 14
            for k in range(5):
                answer = recalled(out, 5, t, k, ())
                assert answer == contents[k], (number, k, answer)
                t += 14
            for b in range(10):
                want = {k for k in range(5) if b in contents[k]}
                answer = recalled(out, 5, t, None, (b,))
                assert answer == want, (number, b, answer, want)
                t += 14
    if test == "test3":
        for tick, want in TEST3_OUT.items():
            found = set(np.flatnonzero(out[tick, :16]))
            assert found == want, f"test3: at {tick} {found}"
    if test in MEMORIES or test == "queries":
        cues = (ASKED if test == "queries" else MEMORIES[test])[0]
        _, content, recalls = (queries(ASKED)[:3] if test == "queries" else
                               random_memory(*MEMORIES[test]))
        for t, cue, chosen in recalls:
            answer = recalled(out, cues, t, cue, chosen)
            want = expected_answer(content, cue, chosen)
            assert answer == want, (test, t, cue, chosen, answer, want)


def queries(size, count=40, spacing=14):
    """Learns a random memory, asks `count` queries of several bits, each of
    which is itself a learning event, and then every cue and every bit.
    Returns inputs, contents, the final recalls and the end of learning."""
    cues, bits, _, seed = size
    random = np.random.default_rng(seed + 100)
    learns, content, _ = random_memory(*size, spacing)
    learned = spacing * cues
    t, operations, recalls = learned, [], []
    for _ in range(count):
        chosen = random.choice(bits, random.integers(2, 5), replace=False)
        operations.append((t, 1, None, chosen))
        t += spacing
    for cue, chosen in ([(k, ()) for k in range(cues)] +
                        [(None, (b,)) for b in range(bits)]):
        recalls.append((t, cue, chosen))
        operations.append((t, 1, cue, chosen))
        t += spacing
    inputs = schedule(cues, bits, operations, t)
    inputs[:learned] |= learns[:learned]
    return inputs, content, recalls, learned


def share_right(size, gated):
    inputs, content, recalls, learned = queries(size)
    gate = np.arange(len(inputs)) < learned if gated else None
    out = simulate(*size[:2], inputs, gate)[0]["Out"]
    return np.mean([recalled(out, size[0], *r) ==
                    expected_answer(content, *r[1:]) for r in recalls])


ASKED = (5, 10, 0.3, 1)


def gate_of(test):
    """The ticks with plasticity; None: all."""
    if test != "queries":
        return None
    inputs, _, _, learned = queries(ASKED)
    return np.arange(len(inputs)) < learned


def selftest():
    for test in ("test1", "test2", "test3", *MEMORIES):
        spikes, cue_to_bit, bit_to_cue = simulate(*inputs_of(test))
        published(test, spikes)
        print(test, "as published:", spikes["Out"].sum(), "Out spikes")
        if test == "test1":
            w = cue_to_bit.w
            assert np.allclose(w[[0, 8, 9], 0], 5.999, atol=5e-4), w[:, 0]
            assert abs(w[1, 0] - 5.967) < 5e-4, w[1, 0]
            assert np.allclose(w[[1, 3, 8], 3], 5.119, atol=5e-4), w[:, 3]
            assert abs(w[4, 3] - 5.109) < 5e-4 and abs(w[9, 3] - 0.323) < 5e-4
    for size in (ASKED, (16, 32, 0.2, 4)):
        free, gated = share_right(size, False), share_right(size, True)
        print(f"{size}: right after 40 queries of several bits: {free:.0%}, "
              f"with learning off {gated:.0%}")
        assert gated == 1.0 and free < 1.0


def write(folder, *tests):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for test in tests or ("test1", "test2", "test3", "queries"):
        cues, _, inputs = inputs_of(test)
        np.save(folder / f"{test}-cue.npy", inputs[:, :cues].astype(np.uint8))
        np.save(folder / f"{test}-content.npy",
                inputs[:, cues:].astype(np.uint8))
        out = expected(test)["Out"].astype(np.uint8)
        np.save(folder / f"{test}-out-cue.npy", out[:, :cues])
        np.save(folder / f"{test}-out-content.npy", out[:, cues:])


def read_run(folder, name, shape):
    spikes = np.zeros(shape, bool)
    with open(Path(folder) / "spikes.csv", encoding="ascii") as file:
        for probe, time, unit in list(csv.reader(file))[1:]:
            if probe == name:
                tick = float(time)
                assert tick == int(tick), f"{name}: {tick} is off the grid"
                spikes[int(tick), int(unit)] = True
    return spikes


@functools.cache
def expected(test):
    return simulate(*inputs_of(test), gate_of(test))[0]


def check(test, folder):
    cues, bits, inputs = inputs_of(test)
    want = expected(test)
    total = 0
    for name in NAMES:
        if name == "Out":  # two populations in the program
            found = np.hstack([
                read_run(folder, "OutCue", (len(inputs), cues)),
                read_run(folder, "OutCont", (len(inputs), bits))])
        else:
            found = read_run(folder, name, want[name].shape)
        wrong = np.argwhere(found != want[name])
        assert not len(wrong), f"{name}: first difference (tick, unit) {wrong[0]}"
        total += int(found.sum())
    assert total > 0
    published(test, want)
    print(f"{test}: {total} spikes of {len(NAMES)} populations, all equal")


if __name__ == "__main__":
    {"selftest": selftest, "write": write, "check": check}[sys.argv[1]](
        *sys.argv[2:])
