"""A real nginx with the configuration that comes with the shop."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SHIPPED = Path(__file__).parents[2] / "webapp" / "deploy" / "nginx.conf"
HOST = "shop.example.com"

AROUND = """
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/storecore.conf;
}}
"""


@contextmanager
def nginx(folder: Path, shop: int) -> Iterator[int]:
    """nginx in front of the shop on a port of this machine; the port on which it speaks TLS."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert program is not None, "the shop is tested behind a real nginx: apt-get install nginx-light"
    plain, secure = _free_port(), _free_port()
    conf = SHIPPED.read_text(encoding="utf-8")
    for here, there in (
        ("server 127.0.0.1:8000;", f"server 127.0.0.1:{shop};"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{secure} ssl;"),
        (f"/etc/letsencrypt/live/{HOST}/", f"{folder}/"),
    ):
        assert here in conf
        conf = conf.replace(here, there)
    (folder / "storecore.conf").write_text(conf, encoding="utf-8")
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=getpass.getuser()), encoding="utf-8")
    _certificate(folder)
    process = subprocess.Popen(
        [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    )
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", secure), timeout=1).close()
                break
            except ConnectionRefusedError:
                pass
        assert process.poll() is None, (folder / "error.log").read_text(encoding="utf-8")
        yield secure
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(30)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "privkey.pem").write_bytes(private)
