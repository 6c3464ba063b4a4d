# docker-here's stand-in for prom/prometheus has no promtool, since Debian moved it to a package of its own: put it there.
FROM prom/prometheus:v3.5.3
USER root
WORKDIR /tmp/promtool
RUN apt-get -o Acquire::Check-Valid-Until=false update \
 && apt-get download promtool/sid \
 && dpkg -x promtool_*.deb . \
 && mv --force usr/bin/promtool /usr/bin/promtool \
 && rm -rf /tmp/promtool /var/lib/apt/lists/*
USER nobody
WORKDIR /prometheus
