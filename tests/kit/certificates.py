"""Certificates for a scenario, made by openssl in its folder: NAME.crt, NAME.key, and the authority's CA.crt."""

import pathlib
import ssl

from kit.ballast import run
from kit.failure import Failure


async def _openssl(folder: pathlib.Path, *words: str) -> None:
    done = await run("openssl", *words, folder=folder)
    if done.exit != 0:
        raise Failure(done.describe())


async def make_authority(folder: pathlib.Path, name: str) -> None:
    """Once; one that is there stays."""
    if (folder / f"{name}.crt").exists():
        return
    await _openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                   "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.crt")


async def make_certificate(folder: pathlib.Path, name: str, options: dict[str, str]) -> None:
    """Options: `for` names and addresses, `by` an authority, `kind` rsa or ec, `days` it is good (below 0: expired),
    `subject` its CN."""
    authority = options.get("by", "ca")
    await make_authority(folder, authority)
    names = [f"IP:{each}" if each.replace(".", "").isdigit() else f"DNS:{each}"
             for each in options.get("for", "example.test").split(",")]
    kind = ["rsa:2048"] if options.get("kind") == "rsa" else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    (folder / f"{name}.ext").write_text(f"subjectAltName={','.join(names)}\nbasicConstraints=CA:FALSE\n")
    await _openssl(folder, "req", "-newkey", *kind, "-nodes", "-subj", f"/CN={options.get('subject', name)}",
                   "-keyout", f"{name}.key.new", "-out", f"{name}.csr")
    await _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key",
                   "-CAcreateserial", "-days", options.get("days", "30"), "-extfile", f"{name}.ext", "-out", f"{name}.crt.new")
    for end in ("key", "crt"):  # each whole at once, as a renewal does it
        (folder / f"{name}.{end}.new").replace(folder / f"{name}.{end}")


def client_context(folder: pathlib.Path, certificate: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    if certificate:
        context.load_cert_chain(folder / f"{certificate}.crt", folder / f"{certificate}.key")
    return context


def server_context(folder: pathlib.Path, certificate: str, clients_of: str | None) -> ssl.SSLContext:
    """clients_of: clients must show a certificate of this authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{certificate}.crt", folder / f"{certificate}.key")
    if clients_of:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / f"{clients_of}.crt")
    return context
