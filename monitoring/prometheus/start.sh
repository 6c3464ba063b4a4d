#!/bin/sh
# Writes the scrape job for the app's slots, then becomes Prometheus. DNS names containers, not ports, so there is one
# discovery entry a slot; as many as WEB_CONCURRENCY, or Prometheus would report workers as down that nobody started.
#
# The app shares a network with Prometheus, which asks it for its metrics; the app has nothing to ask here. So Prometheus
# listens on loopback and on the address that leads out, where Grafana and the published port are; not on the other.
set -eu

workers=${WEB_CONCURRENCY:-2}
host=${APP_HOST:-app}
port=${APP_PORT:-8000}

case $workers in
    *[!0-9]* | 0* | '')
        echo "prometheus: WEB_CONCURRENCY must be a whole number from 1 up, not '$workers'." >&2
        exit 1
        ;;
esac

slot_entries() {
    slot=1
    while [ "$slot" -le "$workers" ]; do
        echo "      - { names: [$host], type: A, port: $((port + slot)), refresh_interval: 5s }"
        slot=$((slot + 1))
    done
}

cat > /tmp/htag.yml <<YAML
scrape_configs:
  - job_name: htag
    dns_sd_configs:
$(slot_entries)
    relabel_configs:
      # port 8001 is slot 1, 8010 is slot 10
      - source_labels: [__address__]
        regex: '.*:80*([1-9][0-9]*)'
        target_label: slot
YAML

case ${1:-} in
    --*) # options of Prometheus, not a command of promtool
        outward=$(busybox ip -4 route get 192.0.2.1 2> /dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p')
        if [ -z "$outward" ]; then
            echo "prometheus: no address leads out, so it listens on all of them; the app can reach it." >&2
            outward=0.0.0.0
        else
            set -- "$@" --web.listen-address=127.0.0.1:9090
        fi
        set -- "$@" "--web.listen-address=$outward:9090"
        ;;
esac

exec "${PROMETHEUS:-/bin/prometheus}" "$@"
