"""A DNS server for the network of a test: it answers everything, by UDP and TCP, on two ports."""

from __future__ import annotations

import socketserver
import threading

import dns.message
import dns.rrset

PORTS = (53, 5300)  # the second one for what must stay as it is


def answer(wire: bytes) -> bytes:
    """192.0.2.1, whatever was asked."""
    question = dns.message.from_wire(wire)
    response = dns.message.make_response(question)
    name = question.question[0].name
    response.answer.append(dns.rrset.from_text(name, 0, "IN", "A", "192.0.2.1"))
    return response.to_wire()


class ByUdp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, sock = self.request
        sock.sendto(answer(wire), self.client_address)


class ByTcp(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        size = int.from_bytes(self.rfile.read(2))
        wire = answer(self.rfile.read(size))
        self.wfile.write(len(wire).to_bytes(2) + wire)


if __name__ == "__main__":
    servers: list[socketserver.BaseServer] = [
        *(socketserver.ThreadingUDPServer(("", port), ByUdp) for port in PORTS),
        *(socketserver.ThreadingTCPServer(("", port), ByTcp) for port in PORTS),
    ]
    for server in servers:
        threading.Thread(target=server.serve_forever).start()
    print("ready", flush=True)  # to whoever waits for it
