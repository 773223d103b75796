#!/bin/sh
# Upgrades the composition of compose.yaml, or applies a changed .env, without a gap:
#
#   deploy/upgrade.sh            # builds the image
#   deploy/upgrade.sh --pull     # pulls it: GATEHOUSE_IMAGE names one of a registry
#   deploy/upgrade.sh --as-is    # takes the image that is there
#
# Then it migrates, starts new containers beside the old ones, and stops the old ones when the
# balancer sends requests to all new ones. If a step fails, the old containers serve on, and the new
# ones are removed. To go back: docker tag gatehouse:previous gatehouse && deploy/upgrade.sh --as-is
#
# If old containers are left, as when Docker could not stop them, run it again: it replaces all that
# run by as many as there were before.
#
# It needs Docker 20.10 and Docker Compose 2.20 or newer. For as long as it runs, Gatehouse has
# twice its containers, memory and connections to PostgreSQL.
set -eu
cd "$(dirname "$0")/.."

READY_SECONDS="${READY_SECONDS:-120}"
# The number of servers in the `server-template` of deploy/haproxy.cfg.
PLACES=32
# The number of containers and their image, before an upgrade that has not ended.
unfinished="${UNFINISHED_FILE:-.upgrade-unfinished}"

serving() { docker compose exec -T balancer wget -q -O - http://127.0.0.1:8001/; }

# Stopped ones would be started again, with their old image.
docker compose rm --force gatehouse >/dev/null
old="$(docker compose ps --quiet gatehouse)"
if [ -z "$old" ]; then
  echo "Gatehouse does not run yet: docker compose up --build --detach" >&2
  exit 1
fi
running="$(echo "$old" | wc -l)"
number="$running"
image="$(docker inspect --format '{{.Image}}' "$(echo "$old" | head -n 1)")"
if [ -e "$unfinished" ]; then
  read -r number_before image_before <"$unfinished"
  if [ "$running" -gt "$number_before" ]; then
    number="$number_before"
    image="$image_before"
  fi
fi
all="$((running + number))"
if [ "$all" -gt "$PLACES" ]; then
  echo "$running containers and $number new ones are more than the $PLACES that the balancer has places for." >&2
  echo "At most $((PLACES / 2)) containers can be upgraded." >&2
  exit 1
fi
served="$(serving)"
# One that recovers later would count as a new one, and one that has just stopped may count still.
if [ "$served" -ne "$running" ]; then
  echo "$running containers run, and the balancer sends requests to $served. Try again in some seconds." >&2
  echo "If that stays so, see docker compose logs gatehouse. To replace all at a time, with a gap:" >&2
  echo "docker compose up --detach" >&2
  exit 1
fi

case "${1:-}" in
  "") docker compose build gatehouse ;;
  --pull) docker compose pull gatehouse ;;
  --as-is) ;;
  *) echo "usage: deploy/upgrade.sh [--pull | --as-is]" >&2; exit 2 ;;
esac

echo "Migrating."
docker compose run --rm --no-deps migrate

echo "Starting $number new beside $running old containers."
remove_new() {
  echo "The upgrade has failed. The old containers serve on." >&2
  for container in $(docker compose ps --all --quiet gatehouse); do
    case "$old" in *"$container"*) continue ;; esac
    docker logs --tail 20 "$container" >&2 || true
    docker rm --force "$container" >/dev/null
  done
  [ "$running" -gt "$number" ] || rm "$unfinished"
}
echo "$number $image" >"$unfinished"
trap remove_new EXIT
trap 'exit 1' INT TERM
docker compose up --detach --no-deps --no-recreate --scale "gatehouse=$all" gatehouse
waited=0
until [ "$(serving)" -ge "$all" ]; do
  waited=$((waited + 1))
  [ "$waited" -le "$READY_SECONDS" ] || exit 1
  sleep 1
done
trap - INT TERM
trap 'echo "The new containers serve, but old ones are left. Run this again." >&2' EXIT

docker tag "$image" gatehouse:previous || true
echo "Stopping the old containers."
# Longer than SHUTDOWN_GRACE_SECONDS, 20.
# shellcheck disable=SC2086  # one argument for each container
docker stop --time 30 $old >/dev/null
# shellcheck disable=SC2086
docker rm $old >/dev/null
rm "$unfinished"
trap - EXIT
echo "Done: $number containers serve."
