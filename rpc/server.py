"""The HTTP end of JSON-RPC: one port, POST for calls, CORS open to every origin."""

import errno
import logging
from collections.abc import Iterable

import orjson
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from node.errors import ConfigError
from rpc.dispatcher import Dispatcher
from rpc.errors import invalid_request

logger = logging.getLogger(__name__)


def _is_not_the_client_s(record: logging.LogRecord) -> bool:
    """Whether a log record is about us: aiohttp reports bytes that are not HTTP as errors, too."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_http_logger = logger.getChild("http")
_http_logger.addFilter(_is_not_the_client_s)

REQUEST_BYTE_LIMIT = 10_000_000
SHUTDOWN_TIMEOUT_S = 2.0
_PREFLIGHT_MAX_AGE_S = 600
_CORS = {"Access-Control-Allow-Origin": "*"}
_GREETING = "This is a JSON-RPC endpoint: POST a request to it.\n"


class RpcServer:
    """Serves one dispatcher on one port. Port 0 lets the system choose; see `port` and `url`.

    `routes` are further paths on the same port (the beacon API of the embedded L1).
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        routes: Iterable[web.AbstractRouteDef] = (),
    ) -> None:
        self._dispatcher = dispatcher
        self._host = host
        self._requested_port = port
        self._routes = tuple(routes)
        self._runner: web.AppRunner | None = None
        self._port: int | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; RuntimeError before `start`."""
        if self._port is None:
            raise RuntimeError("the RPC server is not running")
        return self._port

    @property
    def url(self) -> str:
        """Where clients connect, as http://host:port."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    async def start(self) -> None:
        """Listen; ConfigError names the port if it cannot be had."""
        application = web.Application(client_max_size=REQUEST_BYTE_LIMIT)
        application.add_routes(
            [
                web.post("/", self._handle_post),
                web.get("/", _handle_get),
                web.options("/", _handle_preflight),
                *self._routes,
            ]
        )
        runner = web.AppRunner(
            application,
            access_log=None,
            logger=_http_logger,
            shutdown_timeout=SHUTDOWN_TIMEOUT_S,
            auto_decompress=False,  # clients send plain JSON; a few bytes must not become megabytes
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._requested_port).start()
        except OSError as error:
            await runner.cleanup()
            raise _listen_error(self._host, self._requested_port, error) from error
        self._runner = runner
        self._port = int(runner.addresses[0][1])
        logger.info("JSON-RPC listens on %s", self.url)

    async def stop(self) -> None:
        """Stop listening and let running calls finish, two seconds at most."""
        runner, self._runner, self._port = self._runner, None, None
        if runner is not None:
            await runner.cleanup()

    async def _handle_post(self, request: web.Request) -> web.Response:
        if (request.content_length or 0) > REQUEST_BYTE_LIMIT:
            return _too_large(request.content_length)
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _too_large(None)
        answer = await self._dispatcher.handle(body)
        if answer is None:
            return web.Response(status=204, headers=_CORS)
        return web.Response(body=answer, content_type="application/json", headers=_CORS)


async def _handle_get(request: web.Request) -> web.Response:
    """Health checks and curious browsers."""
    return web.Response(text=_GREETING, headers=_CORS)


async def _handle_preflight(request: web.Request) -> web.Response:
    headers = {
        **_CORS,
        "Access-Control-Allow-Methods": "POST, GET, OPTIONS",
        "Access-Control-Allow-Headers": request.headers.get("Access-Control-Request-Headers", "*"),
        "Access-Control-Max-Age": str(_PREFLIGHT_MAX_AGE_S),
    }
    if "Access-Control-Request-Private-Network" in request.headers:
        # Browsers ask this when a page of the public web (a hosted wallet) calls localhost.
        headers["Access-Control-Allow-Private-Network"] = "true"
    return web.Response(status=204, headers=headers)


def _too_large(size: int | None) -> web.Response:
    came = "more" if size is None else str(size)
    error = invalid_request(
        f"content length too large: expected at most {REQUEST_BYTE_LIMIT} bytes, got {came}"
    )
    body = orjson.dumps({"jsonrpc": "2.0", "id": None, "error": error.to_json()})
    response = web.Response(status=413, body=body, content_type="application/json", headers=_CORS)
    response.force_close()
    return response


def _listen_error(host: str, port: int, error: OSError) -> ConfigError:
    if error.errno == errno.EADDRINUSE:
        return ConfigError(f"port: {port} on {host} is in use by another program, choose another")
    return ConfigError(f"port: cannot listen on {host}:{port}: {error.strerror or error}")
