"""Redis servers that belong together: a Cluster, and a primary with its replica and Sentinels."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.redis_server import REDIS_CLI, RedisServer, running_redis
from tests.servers import TIMEOUT_SECONDS, free_port, wait_until

SERVICE = "gatehouse"


@dataclass(frozen=True)
class Cluster:
    nodes: list[RedisServer]

    @property
    def url(self) -> str:
        return f"redis+cluster://{','.join(node.address for node in self.nodes)}"

    def kept_keys(self) -> list[str]:
        with redis.RedisCluster("127.0.0.1", self.nodes[0].port) as cluster:
            return [key.decode() for key in cluster.keys(target_nodes=cluster.PRIMARIES)]

    def node_of(self, key: str) -> RedisServer:
        with redis.RedisCluster("127.0.0.1", self.nodes[0].port) as cluster:
            node = cluster.get_node_from_key(key)
        return next(server for server in self.nodes if node and server.port == node.port)

    def move(self, key: str) -> None:
        """Move the slot of a key, with the key, to another node."""
        old = self.node_of(key)
        new = next(server for server in self.nodes if server is not old)
        with old.client() as source, new.client() as target:
            slot = source.execute_command("CLUSTER KEYSLOT", key)
            ids = {client: client.execute_command("CLUSTER MYID") for client in (source, target)}
            target.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[source])
            source.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[target])
            source.execute_command("MIGRATE", "127.0.0.1", new.port, key, 0, 5000)
            for client in (target, source):
                client.execute_command("CLUSTER SETSLOT", slot, "NODE", ids[target])


@contextmanager
def running_cluster(
    folder: Path, *, replicas: int = 0, tls: Path | None = None
) -> Iterator[Cluster]:
    """Run three primaries, each with this many replicas."""
    with ExitStack() as stack:
        nodes = []
        for number in range(3 * (1 + replicas)):
            home = folder / f"node{number}"
            home.mkdir()
            options = ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
            options += ["--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0"]
            options += ["--tls-cluster", "yes"] if tls else []
            nodes.append(stack.enter_context(running_redis(home, *options, tls=tls)))
        addresses = [node.address for node in nodes]
        create = ["--cluster", "create", *addresses, "--cluster-replicas", str(replicas)]
        redis_cli(*create, "--cluster-yes", tls=tls)
        wait_until(lambda: all(map(_is_ready, nodes)))
        yield Cluster(nodes)


def _is_ready(node: RedisServer) -> bool:
    with node.client() as client:
        serves_all_slots: bool = client.execute_command("CLUSTER INFO")["cluster_state"] == "ok"
        has_a_copy = client.info("replication").get("master_link_status", "up") == "up"
    return serves_all_slots and has_a_copy


@dataclass(frozen=True)
class Watched:
    """A primary, its replica, and the Sentinels that watch them."""

    primary: RedisServer
    replica: RedisServer
    sentinels: list[RedisServer]

    @property
    def url(self) -> str:
        hosts = ",".join(sentinel.address for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}/0"

    def fail_over(self) -> None:
        """Let the Sentinels make the replica the primary, and the primary its replica."""
        with self.primary.client() as primary, self.sentinels[0].client() as sentinel:
            primary.set("the last", "write")
            primary.wait(1, timeout=0)
            sentinel.execute_command("SENTINEL FAILOVER", SERVICE)
            self.wait_until_promoted()
            # The Sentinels would do so after ten seconds.
            primary.replicaof("127.0.0.1", str(self.replica.port))

    def wait_until_promoted(self) -> None:
        wait_until(lambda: all(map(self._names_the_replica, self.sentinels)))

    def _names_the_replica(self, sentinel: RedisServer) -> bool:
        with sentinel.client() as client:
            state = client.sentinel_masters()[SERVICE]
        return (state["port"], state["flags"]) == (self.replica.port, "master")


@contextmanager
def running_sentinels(folder: Path, *, tls: Path | None = None) -> Iterator[Watched]:
    with ExitStack() as stack:

        def run(*options: str) -> RedisServer:
            encrypted = ("--tls-replication", "yes") if tls else ()
            return stack.enter_context(running_redis(folder, *options, *encrypted, tls=tls))

        primary = run("--repl-diskless-sync-delay", "0")
        replica = run("--replicaof", f"127.0.0.1 {primary.port}")
        sentinels = [run(_sentinel_file(folder, n, primary), "--sentinel") for n in range(3)]
        watched = Watched(primary, replica, sentinels)
        wait_until(lambda: all(map(_knows_the_others, sentinels)))
        yield watched


def _sentinel_file(folder: Path, number: int, primary: RedisServer) -> str:
    file = folder / f"sentinel{number}.conf"
    file.write_text(
        f"sentinel monitor {SERVICE} 127.0.0.1 {primary.port} 2\n"
        f"sentinel down-after-milliseconds {SERVICE} 1000\n"
        f"sentinel failover-timeout {SERVICE} 2000\n"
    )
    return str(file)


def _knows_the_others(sentinel: RedisServer) -> bool:
    with sentinel.client() as client:
        state = client.sentinel_masters()[SERVICE]
    return (state["num-slaves"], state["num-other-sentinels"]) == (1, 2)


def redis_cli(*arguments: str, tls: Path | None) -> None:
    assert REDIS_CLI
    files = ["--cacert", f"{tls}/certificate.pem", "--cert", f"{tls}/certificate.pem"]
    encrypted = ["--tls", *files, "--key", f"{tls}/key.pem"] if tls else []
    subprocess.run(
        [REDIS_CLI, *encrypted, *arguments],
        check=True,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
    )
