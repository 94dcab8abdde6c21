"""The certificate that all peers show: ECDSA P-256, made by openssl for each of them."""

import subprocess

from kit.failure import Failure

BOTH = "site.pem"  # certificate and key


def make(folder):
    key, cert = folder / "site.key", folder / "site.crt"
    done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                           "-days", "2", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
                           "-out", cert], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"openssl: {done.stderr}")
    (folder / BOTH).write_text(cert.read_text() + key.read_text())
