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
# It needs Docker 20.10 and Docker Compose 2.20 or newer. For as long as it runs, Gatehouse has
# twice its containers, memory and connections to PostgreSQL.
set -eu
cd "$(dirname "$0")/.."

READY_SECONDS="${READY_SECONDS:-120}"

serving() { docker compose exec -T balancer wget -q -O - http://127.0.0.1:8001/; }

# Stopped ones would be started again, with their old image.
docker compose rm --force gatehouse >/dev/null
old="$(docker compose ps --quiet gatehouse)"
if [ -z "$old" ]; then
  echo "Gatehouse does not run yet: docker compose up --build --detach" >&2
  exit 1
fi
number="$(echo "$old" | wc -l)"
served="$(serving)"

case "${1:-}" in
  "") docker compose build gatehouse ;;
  --pull) docker compose pull gatehouse ;;
  --as-is) ;;
  *) echo "usage: deploy/upgrade.sh [--pull | --as-is]" >&2; exit 2 ;;
esac

echo "Migrating."
docker compose run --rm --no-deps migrate

echo "Starting $number new beside $number old containers."
remove_new() {
  echo "The upgrade has failed. The old containers serve on." >&2
  for container in $(docker compose ps --all --quiet gatehouse); do
    case "$old" in *"$container"*) continue ;; esac
    docker logs --tail 20 "$container" >&2 || true
    docker rm --force "$container" >/dev/null
  done
}
trap remove_new EXIT
trap 'exit 1' INT TERM
docker compose up --detach --no-deps --no-recreate --scale "gatehouse=$((2 * number))" gatehouse
waited=0
until [ "$(serving)" -ge "$((served + number))" ]; do
  waited=$((waited + 1))
  [ "$waited" -le "$READY_SECONDS" ] || exit 1
  sleep 1
done
trap - EXIT INT TERM

for container in $old; do
  docker tag "$(docker inspect --format '{{.Image}}' "$container")" gatehouse:previous || true
done
echo "Stopping the old containers."
# Longer than SHUTDOWN_GRACE_SECONDS, 20.
# shellcheck disable=SC2086  # one argument for each container
docker stop --time 30 $old >/dev/null
# shellcheck disable=SC2086
docker rm $old >/dev/null
echo "Done: $(serving) containers serve."
