# check=skip=SecretsUsedInArgOrEnv
# (HTAG_SECRET_FILE is a path, not a secret)

FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_CACHE_DIR=/var/cache/pip
RUN python -m venv --without-pip /venv
WORKDIR /source
COPY requirements.txt ./
RUN --mount=type=cache,target=/var/cache/pip \
    pip --python /venv/bin/python install --require-hashes --requirement requirements.txt
COPY pyproject.toml LICENSE ./
COPY htag ./htag
COPY app ./app
# The metadata name a README, whose text nobody needs here. Apps brought along are looked for last, so that
# no file of theirs takes the place of a package of ours.
RUN --mount=type=cache,target=/var/cache/pip \
    touch README.md \
 && pip --python /venv/bin/python install --no-deps . \
 && echo /srv/apps > "$(/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/brought-along.pth"

FROM python:3.13-slim-trixie
# A number, so that Kubernetes can see that it is not root. /data keeps the secret, /srv/apps is for apps brought along.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin htag \
 && install --directory --owner=htag --group=htag --mode=0700 /data \
 && install --directory /srv/apps
COPY --from=build /venv /venv

# MALLOC_ARENA_MAX: glibc's arena per thread is what makes long-lived Python servers look as if they leaked.
ENV PATH=/venv/bin:$PATH \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    WEB_CONCURRENCY=2 \
    HTAG_HOST=0.0.0.0 \
    HTAG_PORT=8000 \
    HTAG_SECRET_FILE=/data/secret \
    HTAG_STORE=memory:// \
    HTAG_LOG_FORMAT=json
WORKDIR /srv
USER 10001:10001
VOLUME /data
EXPOSE 8001 8002
STOPSIGNAL SIGTERM
# Often, because engines before 25 know nothing for the start alone (--start-interval); a probe takes 40 ms.
HEALTHCHECK --interval=3s --timeout=5s --start-period=30s --retries=10 \
    CMD python -m htag_stack.probe "$HTAG_PORT" "$WEB_CONCURRENCY"
# An app finds its files beside it. A folder that this user may not enter (a checkout under umask 077) matters to none but
# the app that is in it, which brought_app.py tells.
CMD ["sh", "-c", "cd /srv/apps 2>/dev/null; exec gunicorn --config python:htag_stack.gunicorn_conf"]

# Last, because it changes with every commit.
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="htag stack" \
      org.opencontainers.image.description="Serves htag apps: gunicorn, uvicorn workers, one port a worker." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
