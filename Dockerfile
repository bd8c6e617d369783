# docker build -t reconciler . && docker run --env-file .env -v reconciler:/data reconciler
#
# All settings come from the environment when it runs, or as files through X_FILE: nothing secret is built in.
# Everything is installed from requirements/, by hash. `make image` labels the image with the commit, too.

# To fix the base image as well: --build-arg PYTHON_IMAGE=python:3.12-slim@sha256:…
ARG PYTHON_IMAGE=python:3.12-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement requirements/build.txt
# The virtual environment has no pip of its own: what runs needs no installer.
RUN python -m venv --without-pip /opt/reconciler \
 && pip --python /opt/reconciler/bin/python install --no-cache-dir --no-deps --require-hashes \
        --requirement requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY migrations migrations
COPY reconciler reconciler
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheel .
RUN pip --python /opt/reconciler/bin/python install --no-cache-dir --no-deps /wheel/*.whl

FROM ${PYTHON_IMAGE}
ARG VERSION=0.2.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="reconciler" \
      org.opencontainers.image.description="Keeps Opsgenie alerts and PagerDuty incidents in agreement by polling both." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
COPY --from=build /opt/reconciler /opt/reconciler
ENV PATH=/opt/reconciler/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
# Relative SQLite files, such as the default's, are here. Besides this folder only /tmp is ever written to, by HTTP
# bodies above 128 KiB.
# Any user may run this, as OpenShift has it: a user without a name is in group 0, which the folder is given to.
RUN install -d -o 65532 -g 0 -m 0770 /data
WORKDIR /data
VOLUME /data
USER 65532:65532
# No HEALTHCHECK: what restarts unhealthy containers must ask /healthz, which needs HTTP_LISTEN. `reconciler status
# --exit-code` fails while something is paused or late, too, and a restart cures neither.
# The daemon is process 1 and finishes the writes in flight when it is stopped: allow it a minute (docker stop -t 60).
STOPSIGNAL SIGTERM
ENTRYPOINT ["reconciler"]
CMD ["run"]
