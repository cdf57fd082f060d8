"""Keeps the serving processes alive: one that dies is replaced, and the log says what it died of.

Hypercorn's own master ends as soon as one of its workers is killed, with exit status 0 and without
a log line. So its worker function runs in processes started here. They share the listening sockets,
which are open here: a request that comes while no worker serves waits for the next one.
"""

import logging
import os
import signal
from multiprocessing import Pipe, current_process, parent_process
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from multiprocessing.resource_tracker import ensure_running
from threading import Thread
from time import monotonic, sleep

from hypercorn.asyncio.run import asyncio_worker, uvloop_worker
from hypercorn.config import Config, Sockets
from quart import Quart

WORKER_FUNCTIONS = {"asyncio": asyncio_worker, "uvloop": uvloop_worker}
FAILURES = 5  # workers in a row that died before they served: another would be no better
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0  # before a worker is replaced that never served
STOP_SIGNALS = ("SIGINT", "SIGTERM", "SIGBREAK")  # the last is Windows's

log = logging.getLogger(__name__)


def application() -> Quart:
    """The application as a worker serves it: it reports to the supervisor when it has started."""
    from ivr.app import create_app

    worker = current_process()
    if not isinstance(worker, Worker):
        raise TypeError("only a worker of the supervisor serves this application")
    app = create_app()

    @app.before_serving
    async def report() -> None:
        worker.report()

    return app


class Worker(SpawnProcess):
    """One serving process."""

    def __init__(self, config: Config, sockets: Sockets) -> None:
        super().__init__(daemon=config.daemon)
        self._config, self._sockets = config, sockets
        self._reports, self._reporting = Pipe(duplex=False)

    def run(self) -> None:
        """Serve until SIGTERM, or until the supervisor is gone: in the new process."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # until Hypercorn handles it
        _hold_back_sigint(False)
        Thread(target=_end_with_supervisor, args=[_patience(self._config)], daemon=True).start()
        self._config.application_path = f"{__name__}:application()"
        WORKER_FUNCTIONS[self._config.worker_class](self._config, self._sockets)

    def report(self) -> None:
        """Report that it has started to serve."""
        self._reporting.send_bytes(b"serving")

    def has_served(self) -> bool:
        """Whether it got as far as serving, also after it has died."""
        return self._reports.poll()

    def close(self) -> None:
        """Release what a dead worker holds here."""
        super().close()
        self._reports.close()
        self._reporting.close()


class Supervisor:
    """Runs as many workers as the configuration says, at least one, on sockets of its own."""

    def __init__(self, config: Config) -> None:
        """Listen, and heed SIGINT and SIGTERM from now on. Raises OSError if it cannot listen."""
        self._config, self._sockets = config, config.create_sockets()
        self._listening = [*self._sockets.secure_sockets, *self._sockets.insecure_sockets]
        for one in self._listening:
            one.listen(config.backlog)
        ensure_running()  # now: the first worker would start it, and let SIGINT through
        self._wanted = max(1, config.workers)
        self._workers: list[Worker] = []
        self._failures = 0  # workers in a row that died before they served
        self._start_at = monotonic()
        self._stops, self._stop = Pipe(duplex=False)
        for name in STOP_SIGNALS:
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: self._stop.send_bytes(b"stop"))

    def run(self) -> int:
        """Serve until SIGINT or SIGTERM. Returns the exit status of the whole.

        It is 0 after a signal, and 1 when no worker serves and those that were started last all
        died before they could.
        """
        self._config.logger_class(self._config)  # sets logging up, as the workers do
        try:
            return self._keep_serving()
        finally:
            self._stop_workers()

    def _keep_serving(self) -> int:
        while self._failures < FAILURES or any(map(Worker.has_served, self._workers)):
            pause = self._start_missing()
            sentinels = [worker.sentinel for worker in self._workers]
            if self._stops in wait([self._stops, *sentinels], pause):
                return 0
            self._remove_dead()
        log.error("%d workers in a row died before they served: giving up", self._failures)
        return 1

    def _start_missing(self) -> float | None:
        """Start the workers that are missing, if it is time. Returns seconds until it is."""
        while len(self._workers) < self._wanted:
            pause = self._start_at - monotonic()
            if pause > 0:
                return pause
            self._start()
        return None

    def _start(self) -> None:
        worker = Worker(self._config, self._sockets)
        # Ctrl-C reaches the whole foreground group: it must not interrupt a worker that starts.
        _hold_back_sigint(True)
        try:
            worker.start()
        except OSError as fault:
            log.error("no worker can be started: %s", fault)
            worker.close()
            self._failed()
            return
        finally:
            _hold_back_sigint(False)
        log.info("worker %d starts", worker.pid)
        self._workers.append(worker)

    def _remove_dead(self) -> None:
        for worker in [one for one in self._workers if one.exitcode is not None]:
            served, cause = worker.has_served(), _cause(worker.exitcode or 0)
            early = "" if served else ", before it served"
            log.error("worker %d died of %s%s", worker.pid, cause, early)
            if served:
                self._failures = 0
            else:
                self._failed()
            self._workers.remove(worker)
            worker.close()

    def _failed(self) -> None:
        """Wait longer before the next start than before the last."""
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._failures, FAILURES))
        self._failures += 1
        self._start_at = monotonic() + pause

    def _stop_workers(self) -> None:
        """Let the workers answer what they have begun, and end; new requests are refused at once,
        so that a proxy sends them elsewhere."""
        for one in (*self._listening, *self._sockets.quic_sockets):
            one.close()
        for worker in self._workers:
            worker.terminate()
        end = monotonic() + _patience(self._config)
        for worker in self._workers:
            worker.join(max(0.0, end - monotonic()))
            if worker.exitcode is None:
                log.error("worker %d did not stop in time: it is killed", worker.pid)
                worker.kill()
                worker.join()


def _hold_back_sigint(held: bool) -> None:
    """Let SIGINT wait in this process, and in those that it starts meanwhile; or no longer."""
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        how = signal.SIG_BLOCK if held else signal.SIG_UNBLOCK
        signal.pthread_sigmask(how, [signal.SIGINT])


def _cause(status: int) -> str:
    """What a process died of, from its exit status as `multiprocessing` has it."""
    if status >= 0:
        return f"exit status {status}"
    if -status == getattr(signal, "SIGKILL", None):
        return "SIGKILL (which the system sends when memory runs out)"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def _patience(config: Config) -> float:
    """Seconds that a worker may take to stop."""
    return config.graceful_timeout + config.shutdown_timeout


def _end_with_supervisor(patience: float) -> None:
    """Stop this worker when its supervisor is gone: it must not hold the port for ever."""
    supervisor = parent_process()
    if supervisor is None:
        return
    supervisor.join()
    log.error("the supervisor %d is gone: its worker stops", supervisor.pid)
    os.kill(os.getpid(), signal.SIGTERM)
    sleep(patience)
    os._exit(1)
