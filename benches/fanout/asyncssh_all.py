"""One command on every host through one bastion connection, then again over what is open: DIR USER PORT."""

import asyncio
import statistics
import sys
import time

import asyncssh

LATER = 5


async def main(folder: str, user: str, port: int) -> None:
    options = {
        "username": user,
        "client_keys": [f"{folder}/.ssh/id_ed25519"],
        "known_hosts": f"{folder}/.ssh/known_hosts",
        "config": None,
        "agent_path": None,
    }
    with open(f"{folder}/hosts") as listed:
        hosts = [line.split() for line in listed]
    began, before = time.monotonic(), time.process_time()
    options = asyncssh.SSHClientConnectionOptions(**options)
    bastion = await asyncssh.connect("127.0.0.1", port, options=options)

    async def cold(host):
        connection = await bastion.connect_ssh(host[1], int(host[2]), options=options)
        await connection.run("uptime", check=True)
        return connection

    connections = await asyncio.gather(*(cold(host) for host in hosts), return_exceptions=True)
    took, busy = time.monotonic() - began, time.process_time() - before
    failures = [each for each in connections if isinstance(each, BaseException)]
    for failure in failures[:3]:
        print(repr(failure), file=sys.stderr)
    good = [each for each in connections if not isinstance(each, BaseException)]
    later, before = [], time.process_time()
    for _ in range(LATER):
        began = time.monotonic()
        await asyncio.gather(*(each.run("uptime", check=True) for each in good))
        later.append(time.monotonic() - began)
    later_busy = (time.process_time() - before) / LATER
    print(took, busy, statistics.median(later), later_busy, len(failures))


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
