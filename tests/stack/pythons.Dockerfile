# Python VERSION with what the tests of snapshots need: test_pythons.py builds it, beside requirements-dev.txt alone.
ARG VERSION=3.13

FROM python:3.13-slim-trixie AS python-3.13

# Debian's unstable release has it. Its mirror and its keys are those that the image has already.
FROM python:3.13-slim-trixie AS python-3.14
RUN mirror=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -n 1) \
 && keys=$(find /usr/share/keyrings -name 'debian-archive-keyring.*' | head -n 1) \
 && echo "deb [signed-by=$keys] $mirror sid main" > /etc/apt/sources.list.d/sid.list \
 && apt-get -qq -o Acquire::Check-Valid-Until=false update \
 && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends --target-release sid \
    python3.14 python3.14-venv >/dev/null

FROM python-${VERSION}
ARG VERSION
# As locked, with hashes; pip refuses what a list without one of their dependencies would bring.
ARG PACKAGES="anyio certifi charset-normalizer click h11 httpcore2 httpx2 hypothesis idna iniconfig itsdangerous msgspec packaging pluggy pygments \
pytest pytest-asyncio redis sortedcontainers requests starlette \
tinycss2 truststore typing-extensions urllib3 uvicorn webencodings websocket-client websockets"
ENV PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_CACHE_DIR=/var/cache/pip
RUN "python$VERSION" -m venv /venv
COPY requirements-dev.txt /
RUN --mount=type=cache,target=/var/cache/pip \
    awk -v packages="$PACKAGES" 'BEGIN { split(packages, names, " "); for (n in names) wanted[names[n]] = 1 } \
        /^[a-z]/ { split($0, parts, "=="); taken = parts[1] in wanted } taken' /requirements-dev.txt > /locked.txt \
 && /venv/bin/pip install --quiet --require-hashes --requirement /locked.txt
# The source, which is mounted, may be nobody's to write to. What counts bytes, and what looks for a race, takes a third of
# the time, and the tests in the machine's own Python hold it.
WORKDIR /tests
CMD ["sh", "-c", "cd /source && cp -r apps app bench headless htag pyproject.toml tests docs /tests && cd /tests && \
exec /venv/bin/python -m pytest -q -p no:cacheprovider \
-k 'not no_bigger and not leaves_nothing_in_memory and not changes_the_tree_meanwhile' tests/htag/snapshot tests/apps"]
