"""The workers that calls from several threads are lent."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from keras_cornernet.export.pool import Pool, workers_for

PATIENCE = 30  # seconds, so that a pool that is stuck fails and does not hang


class Counted:
    """Makes numbered workers, of which each knows whether two calls have it at once."""

    def __init__(self):
        self.made = []

    def __call__(self):
        self.made.append(threading.Lock())
        return self.made[-1]


def test_calls_of_one_thread_meet_one_worker():
    counted = Counted()
    pool = Pool(counted, 4)
    for _ in range(5):
        with pool.lent() as worker:
            assert worker is counted.made[0]
    assert len(counted.made) == 1


def test_calls_at_once_have_workers_of_their_own_up_to_the_size():
    counted, size = Counted(), 3
    pool, all_in = Pool(counted, size), threading.Barrier(size)

    def call(number):
        with pool.lent() as worker:
            assert worker.acquire(blocking=False), "two calls have one worker"
            if number < size:
                all_in.wait(PATIENCE)  # passes only if the first three are inside together
            worker.release()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(call, range(200)))
    assert len(counted.made) == size


def test_a_call_that_fails_gives_its_worker_back():
    counted = Counted()
    pool = Pool(counted, 1)
    for _ in range(3):
        with pytest.raises(RuntimeError), pool.lent():
            raise RuntimeError
    with pool.lent() as worker:
        assert worker is counted.made[0]


def test_a_worker_that_cannot_be_made_leaves_its_place():
    made = []

    def make():
        if len(made) == 1:
            made.append(None)
            raise MemoryError
        made.append(object())
        return made[-1]

    pool = Pool(make, 2)
    with pool.lent():
        with pytest.raises(MemoryError), pool.lent():
            pass
        with pool.lent() as second:
            assert second is made[2]


def test_a_waiting_call_gets_the_worker_that_comes_back():
    pool, taken = Pool(object, 1), threading.Event()

    def call():
        with pool.lent():
            taken.set()

    with pool.lent():
        waiting = threading.Thread(target=call, daemon=True)
        waiting.start()
        assert not taken.wait(0.05)
    assert taken.wait(PATIENCE)


def test_workers_share_the_cores(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert [workers_for(threads) for threads in (None, 1, 2, 3, 8, 64)] == [8, 8, 4, 2, 1, 1]
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert workers_for(None) == 1
