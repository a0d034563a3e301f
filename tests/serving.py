"""本机的静态网站：几处浏览器测试共用。"""

import contextlib
import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class Quiet(SimpleHTTPRequestHandler):
    cache = ""

    def log_message(self, *args):
        pass

    def end_headers(self):
        if self.cache:
            self.send_header("Cache-Control", self.cache)
        super().end_headers()


class Cached(Quiet):
    """让浏览器把取到的文件存一小时。"""

    cache = "max-age=3600"


@contextlib.contextmanager
def serve(folder, handler=Quiet):
    """给出网址；用完就停，不等轮询。"""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
