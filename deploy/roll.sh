#!/bin/sh
# Rolls the app to another version, and no page notices: roll.sh [--no-build]
# New containers come up beside the old ones, with the settings as they are now (HTAG_VERSION, HTAG_APP, HTAG_APPS_DIR …);
# once all of them are healthy the old ones are stopped, one by one, each as its sessions have moved. At the first failure
# it stops, and what serves is left as it is. nginx and the rest stay: docker compose up is for those.
#   HTAG_VERSION=1.4 deploy/roll.sh
#   COMPOSE_FILE=docker-compose.yml:deploy/tls.yml deploy/roll.sh
set -eu

service=app
patience=${ROLL_SECONDS:-180}   # for the new containers to be healthy: an import may take a minute
settling=3                      # seconds in which nginx finds them: it asks the DNS once a second

say() {
    echo "roll: $1" >&2
}

fail() {
    say "$1"
    exit 1
}

containers() { # containers [OPTION …]: the ids of the service's containers, one a line
    docker compose ps --quiet "$@" "$service"
}

state() { # state ID: healthy, unhealthy, starting; or what the container is if it does not run
    docker inspect --format '{{if .State.Running}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' "$1" 2>/dev/null || echo gone
}

name() {
    docker inspect --format '{{slice .Name 1}}' "$1"
}

wait_until_healthy() { # wait_until_healthy ID: 1 where it is not, or not in time
    while :; do
        case $(state "$1") in
            healthy) return 0 ;;
            starting) ;;
            *) return 1 ;;
        esac
        [ "$patience" -gt 0 ] || return 1
        patience=$((patience - 1))
        sleep 1
    done
}

take_back() { # the new containers go, the old ones were never touched
    say "$1"
    for each in $new; do
        docker logs --tail 20 "$each" >&2 || true
        docker rm --force --volumes "$each" >/dev/null
    done
    fail "nothing has changed: the old version serves on."
}

all_healthy() {
    for each in $new; do
        [ "$(state "$each")" = healthy ] || return 1
    done
}

case ${1:-} in
    '') build=yes ;;
    --no-build) build=no ;;
    *) fail "what is $1? Only --no-build is known." ;;
esac
cd "$(dirname "$0")/.."

old=$(containers --status running)
[ -n "$old" ] || fail "no container of $service runs; start the stack: docker compose up --detach"
number=$(echo "$old" | wc -l)

[ "$build" = no ] || docker compose build "$service" || fail "the image could not be built; nothing has changed."

say "$number container(s) of the new version beside the $number of the old"
started=yes
docker compose rm --force "$service" >/dev/null 2>&1     # those that ended: Compose would start them again instead of new ones
docker compose up --detach --no-deps --no-recreate --no-build --scale "$service=$((number * 2))" "$service" || started=no
new=$(containers --all | grep --invert-match --line-regexp --fixed-strings "$old" || true)
[ "$started" = yes ] || take_back "the new containers did not start."
[ -n "$new" ] || fail "Compose made no new container."

for container in $new; do
    wait_until_healthy "$container" || take_back "$(name "$container") is $(state "$container")."
done
sleep "$settling"

left=$number
for container in $old; do
    all_healthy || fail "a new container is not healthy any more; $left of the old ones serve on. Look at it: docker compose ps"
    say "stopping $(name "$container"): its sessions move"
    docker stop "$container" >/dev/null || fail "it could not be stopped."      # within its stop_grace_period
    code=$(docker inspect --format '{{.State.ExitCode}}' "$container")
    left=$((left - 1))
    [ "$code" = 0 ] || fail "it ended with code $code instead of 0, so not all sessions may have moved; $left of the old ones serve on."
    docker rm --volumes "$container" >/dev/null
done
say "done: $(echo "$new" | wc -l) container(s) of the new version serve. What was set for this run only belongs into .env now."
