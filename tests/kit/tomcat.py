"""Tomcat: Debian's Tomcat 10 as a process with a folder of its own (CATALINA_BASE), on ports the kernel chose; never the system's.

One application at "/": echo.jsp shows the request as the servlet sees it, body.jsp reads the body and sends as many bytes back,
early.jsp answers without reading. Ready is when its AJP connector answers a CPING. Its end is by pid.
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from kit.failure import Failure
from kit.peer import free_port

HOME = pathlib.Path("/usr/share/tomcat10")
START_SECONDS = 90.0
CPING = b"\x12\x34\x00\x01\x0a"
CPONG = b"AB\x00\x01\x09"

SERVER_XML = """<?xml version="1.0" encoding="UTF-8"?>
<Server port="-1" shutdown="SHUTDOWN">
  <Service name="Catalina">
    <Connector protocol="AJP/1.3" address="127.0.0.1" port="{port}" tomcatAuthentication="false" {connector} />
    <Engine name="Catalina" defaultHost="localhost" jvmRoute="{route}">
      <Host name="localhost" appBase="webapps" autoDeploy="false" deployOnStartup="true" />
    </Engine>
  </Service>
</Server>
"""

WEB_XML = """<?xml version="1.0" encoding="UTF-8"?>
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
  <servlet><servlet-name>default</servlet-name>
    <servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class></servlet>
  <servlet><servlet-name>jsp</servlet-name>
    <servlet-class>org.apache.jasper.servlet.JspServlet</servlet-class></servlet>
  <servlet-mapping><servlet-name>default</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
  <servlet-mapping><servlet-name>jsp</servlet-name><url-pattern>*.jsp</url-pattern></servlet-mapping>
</web-app>
"""

ECHO_JSP = """<%@ page contentType="application/json; charset=UTF-8" session="false" trimDirectiveWhitespaces="true"
%><%@ page import="java.util.*, jakarta.servlet.http.*" %><%!
String text(Object value) {
  if (value == null) return "null";
  StringBuilder out = new StringBuilder("\\"");
  for (char c : value.toString().toCharArray()) {
    if (c == '"' || c == '\\\\' || c < 0x20) out.append(String.format("\\\\u%04x", (int) c)); else out.append(c);
  }
  return out.append('"').toString();
} %><%
String wanted = request.getParameter("session");
HttpSession session = request.getSession("new".equals(wanted));
int count = 0;
if (session != null) {
  Integer before = (Integer) session.getAttribute("count");
  count = before == null ? 1 : before + 1;
  session.setAttribute("count", count);
}
out.print("{");
out.print("\\"route\\":" + text(System.getProperty("ballast.route")));
out.print(",\\"method\\":" + text(request.getMethod()));
out.print(",\\"protocol\\":" + text(request.getProtocol()));
out.print(",\\"scheme\\":" + text(request.getScheme()));
out.print(",\\"secure\\":" + request.isSecure());
out.print(",\\"uri\\":" + text(request.getRequestURI()));
out.print(",\\"url\\":" + text(request.getRequestURL()));
out.print(",\\"query\\":" + text(request.getQueryString()));
out.print(",\\"server_name\\":" + text(request.getServerName()));
out.print(",\\"server_port\\":" + request.getServerPort());
out.print(",\\"remote_addr\\":" + text(request.getRemoteAddr()));
out.print(",\\"remote_host\\":" + text(request.getRemoteHost()));
out.print(",\\"remote_port\\":" + request.getRemotePort());
out.print(",\\"local_addr\\":" + text(request.getLocalAddr()));
out.print(",\\"local_port\\":" + request.getLocalPort());
out.print(",\\"content_length\\":" + request.getContentLengthLong());
out.print(",\\"content_type\\":" + text(request.getContentType()));
out.print(",\\"session\\":" + text(session == null ? null : session.getId()));
out.print(",\\"session_count\\":" + count);
out.print(",\\"session_from_url\\":" + request.isRequestedSessionIdFromURL());
out.print(",\\"cipher\\":" + text(request.getAttribute("jakarta.servlet.request.cipher_suite")));
out.print(",\\"key_size\\":" + text(request.getAttribute("jakarta.servlet.request.key_size")));
out.print(",\\"ssl_session\\":" + text(request.getAttribute("jakarta.servlet.request.ssl_session_id")));
out.print(",\\"ssl_protocol\\":" + text(request.getAttribute("org.apache.tomcat.util.net.secure_protocol_version")));
java.security.cert.X509Certificate[] shown =
    (java.security.cert.X509Certificate[]) request.getAttribute("jakarta.servlet.request.X509Certificate");
out.print(",\\"certificate\\":" + text(shown == null ? null : shown[0].getSubjectX500Principal() + " " + shown[0].getSerialNumber()));
out.print(",\\"user\\":" + text(request.getRemoteUser()));
out.print(",\\"headers\\":[");
boolean first = true;
for (String name : Collections.list(request.getHeaderNames())) {
  for (String value : Collections.list(request.getHeaders(name))) {
    out.print((first ? "" : ",") + "[" + text(name.toLowerCase()) + "," + text(value) + "]");
    first = false;
  }
}
out.print("]}");
%>"""

BODY_JSP = """<%@ page contentType="application/octet-stream" session="false" trimDirectiveWhitespaces="true" %><%
long seen = 0; long sum = 0;
byte[] piece = new byte[Integer.parseInt(request.getParameter("piece") == null ? "8192" : request.getParameter("piece"))];
java.io.InputStream in = request.getInputStream();
for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
  for (int i = 0; i < n; ++i) sum = (sum * 31 + (piece[i] & 0xff)) % 1000000007L;
  seen += n;
}
response.setHeader("X-Seen", Long.toString(seen));
response.setHeader("X-Sum", Long.toString(sum));
int size = Integer.parseInt(request.getParameter("answer") == null ? "0" : request.getParameter("answer"));
if (request.getParameter("length") != null) response.setContentLength(size);
byte[] bytes = new byte[size];
for (int i = 0; i < size; ++i) bytes[i] = (byte) ('a' + i % 26);
response.getOutputStream().write(bytes);
if (request.getParameter("flush") != null) response.flushBuffer();
if (request.getParameter("cut") != null) throw new java.io.IOException("cut");
%>"""

EARLY_JSP = """<%@ page contentType="text/plain" session="false" trimDirectiveWhitespaces="true" %><%
int status = Integer.parseInt(request.getParameter("status") == null ? "200" : request.getParameter("status"));
if (request.getParameter("seconds") != null) Thread.sleep((long) (1000 * Double.parseDouble(request.getParameter("seconds"))));
response.setStatus(status);
if (status != 204 && status != 304) out.print("early");
%>"""


class Tomcat:
    def __init__(self, folder: pathlib.Path, route: str, *, secret: str = "s3cret", packet_size: int = 8192):
        self.route = route
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.secret = secret
        self.folder = folder / route
        self._process = None
        for name in ("conf", "webapps/ROOT/WEB-INF", "temp", "work", "logs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        wanted = f'secret="{secret}" secretRequired="true"' if secret else 'secretRequired="false"'
        connector = f'{wanted} packetSize="{packet_size}" maxThreads="20" minSpareThreads="2"'
        (self.folder / "conf/server.xml").write_text(SERVER_XML.format(port=self.port, connector=connector, route=route))
        (self.folder / "conf/web.xml").write_text(WEB_XML)
        root = self.folder / "webapps/ROOT"
        for name, text in (("echo.jsp", ECHO_JSP), ("body.jsp", BODY_JSP), ("early.jsp", EARLY_JSP), ("hello.txt", "hello\n")):
            (root / name).write_text(text)

    @staticmethod
    def is_installed() -> bool:
        return (HOME / "bin/bootstrap.jar").exists()

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["java", "-Xmx192m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.awt.headless=true",
             "-cp", f"{HOME}/bin/bootstrap.jar:{HOME}/bin/tomcat-juli.jar", f"-Dcatalina.home={HOME}",
             f"-Dcatalina.base={self.folder}", f"-Djava.io.tmpdir={self.folder}/temp", f"-Dballast.route={self.route}",
             "org.apache.catalina.startup.Bootstrap", "start"],
            stdout=(self.folder / "logs/out").open("w"), stderr=subprocess.STDOUT, cwd=self.folder)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise Failure(f"Tomcat {self.route} ended with {self._process.returncode}:\n{self.log()}")
            if self.pings():
                return
            time.sleep(0.1)
        raise Failure(f"Tomcat {self.route} was not ready in {START_SECONDS:.0f} s:\n{self.log()}")

    def pings(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(CPING)
                return connection.recv(5, socket.MSG_WAITALL) == CPONG
        except OSError:
            return False

    def stop(self) -> None:
        """At once, as a crash would."""
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def log(self) -> str:
        return (self.folder / "logs/out").read_text(errors="replace")[-4000:]


def seen(answer: bytes) -> dict:
    """What echo.jsp printed."""
    return json.loads(answer)
