#!/usr/bin/env python3
"""Processes in a state that build/scope has to name: states.py STATE. Each ends after 20 s."""
import ctypes
import os
import select
import socket
import struct
import sys
import time

END = time.time() + 20
SET = select.epoll()


def wait():
    print("ready", flush=True)
    while time.time() < END:
        SET.poll(1)


def pair():
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    return client, listener.accept()[0]


def eventfd():
    SET.register(os.eventfd(1), select.EPOLLIN)
    wait()


def timerfd():
    libc = ctypes.CDLL(None)
    fd = libc.timerfd_create(1, 0)
    libc.timerfd_settime(fd, 0, struct.pack("qqqq", 0, 0, 0, 1000000), None)
    SET.register(fd, select.EPOLLIN)
    wait()


def pipe_hup():
    reader, writer = os.pipe()
    SET.register(reader, 0)
    os.close(writer)
    wait()


def unix_hup():
    a, b = socket.socketpair()
    SET.register(a, 0)
    b.close()
    wait()


def error_queue():
    client, server = pair()
    server.setsockopt(socket.SOL_SOCKET, 60, 1)  # SO_ZEROCOPY
    server.send(b"x" * 20000, 0x4000000)  # MSG_ZEROCOPY
    SET.register(server, 0)
    wait()
    client.close()


def reused():
    a, b = socket.socketpair()
    c, d = socket.socketpair()
    SET.register(b, select.EPOLLIN)
    copy = os.dup(b.fileno())
    os.dup2(d.fileno(), b.fileno())
    SET.register(b.fileno(), select.EPOLLIN)
    print("copy", copy, flush=True)
    wait()
    a.close()
    c.close()


def udp():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    SET.register(server, select.EPOLLIN | select.EPOLLET)
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.sendto(b"x" * 100, server.getsockname())
    wait()


def unix_backlog():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("\0states%d" % os.getpid())
    listener.listen(5)
    client = socket.socket(socket.AF_UNIX)
    client.connect(listener.getsockname())
    reader, _ = os.pipe()
    SET.register(reader, select.EPOLLIN)
    wait()
    client.close()


def pipe_edge():
    reader, writer = os.pipe()
    SET.register(reader, select.EPOLLIN | select.EPOLLET)
    os.write(writer, b"xyz")
    wait()


def inner_edge():
    inner = select.epoll()
    reader, writer = os.pipe()
    inner.register(reader, select.EPOLLIN)
    SET.register(inner.fileno(), select.EPOLLIN | select.EPOLLET)
    os.write(writer, b"x")
    wait()


def sleeper():
    reader, _ = os.pipe()
    SET.register(reader, select.EPOLLIN)
    print("ready", flush=True)
    time.sleep(20)


def idle_out():
    client, server = pair()
    SET.register(server, select.EPOLLOUT)
    print("ready", flush=True)
    time.sleep(20)
    client.close()


def computes():
    reader, _ = os.pipe()
    SET.register(reader, select.EPOLLIN)
    print("ready", flush=True)
    while time.time() < END:
        pass


def idle():
    a, b = socket.socketpair()
    SET.register(a, select.EPOLLIN)
    wait()
    b.close()


def parent():
    if os.fork() == 0:
        time.sleep(20)
    else:
        print("ready", flush=True)
        time.sleep(20)


globals()[sys.argv[1]]()
