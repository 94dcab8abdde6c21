"""Apache httpd from Debian as a process with a folder of its own: one port speaks AJP by mod_proxy_ajp, another by mod_jk; two more
do so for clients over TLS, who may show a certificate of ca.crt."""

import os
import pathlib
import signal
import socket
import subprocess
import time

from kit.failure import Failure
from kit.peer import free_port

MODULES = pathlib.Path("/usr/lib/apache2/modules")
START_SECONDS = 30.0

CONFIGURATION = """
ServerRoot "{folder}"
PidFile "{folder}/httpd.pid"
ErrorLog "{folder}/error.log"
Mutex file:{folder}
ServerName 127.0.0.1
Listen 127.0.0.1:{proxy_port}
Listen 127.0.0.1:{jk_port}
Listen 127.0.0.1:{proxy_tls_port}
Listen 127.0.0.1:{jk_tls_port}
{load}
StartServers {servers}
KeepAlive On
MaxKeepAliveRequests 0
AllowEncodedSlashes NoDecode
MergeSlashes Off
JkWorkersFile "{workers}"
JkLogFile "{folder}/jk.log"
JkShmFile "{folder}/jk.shm"
JkOptions +ForwardURICompatUnparsed
<Directory "/">
  Require all granted
</Directory>
<VirtualHost 127.0.0.1:{proxy_port}>
  {proxy}
</VirtualHost>
<VirtualHost 127.0.0.1:{jk_port}>
  JkMount /* {worker}
</VirtualHost>
<VirtualHost 127.0.0.1:{proxy_tls_port}>
  {tls}
  {proxy}
</VirtualHost>
<VirtualHost 127.0.0.1:{jk_tls_port}>
  {tls}
  JkMount /* {worker}
</VirtualHost>
"""


TLS = """SSLEngine On
  SSLCertificateFile "{files}/site.crt"
  SSLCertificateKeyFile "{files}/site.key"
  SSLCACertificateFile "{files}/ca.crt"
  SSLVerifyClient optional
  SSLOptions +StdEnvVars +ExportCertData"""


class Apache:
    """`folder` has site.crt, site.key and ca.crt."""

    def __init__(self, folder: pathlib.Path, *, proxy: str, workers: str, worker: str):
        self.folder = folder / "apache"
        self.folder.mkdir()
        self.proxy_port, self.jk_port, self.proxy_tls_port, self.jk_tls_port = (free_port() for _ in range(4))
        self._process = None
        (self.folder / "workers.properties").write_text(workers)
        modules = ["mpm_event", "authz_core", "proxy", "proxy_ajp", "proxy_balancer", "slotmem_shm", "lbmethod_byrequests", "jk",
                   "socache_shmcb", "ssl"]
        load = "\n".join(f"LoadModule {m}_module {MODULES}/mod_{m}.so" for m in modules)
        (self.folder / "httpd.conf").write_text(CONFIGURATION.format(
            folder=self.folder, proxy_port=self.proxy_port, jk_port=self.jk_port, proxy_tls_port=self.proxy_tls_port,
            jk_tls_port=self.jk_tls_port, tls=TLS.format(files=folder), load=load, servers=1,
            workers=self.folder / "workers.properties", proxy=proxy, worker=worker))

    @staticmethod
    def is_installed() -> bool:
        return pathlib.Path("/usr/sbin/apache2").exists() and (MODULES / "mod_jk.so").exists()

    def start(self) -> None:
        self._process = subprocess.Popen(["/usr/sbin/apache2", "-f", str(self.folder / "httpd.conf"), "-D", "FOREGROUND"],
                                         stdout=(self.folder / "out").open("w"), stderr=subprocess.STDOUT, cwd=self.folder)
        deadline = time.monotonic() + START_SECONDS
        for port in (self.proxy_port, self.jk_port):
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=2).close()
                    break
                except OSError:
                    if self._process.poll() is not None or time.monotonic() > deadline:
                        raise Failure(f"apache2 does not start:\n{self.log()}") from None
                    time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGTERM)
            self._process.wait()

    def log(self) -> str:
        return "".join((self.folder / name).read_text(errors="replace")[-3000:]
                       for name in ("out", "error.log", "jk.log") if (self.folder / name).exists())
