# docker build -t reconciler . && docker run --env-file .env -v reconciler:/data reconciler
#
# All settings come from the environment when it runs, or as files through X_FILE: nothing secret is built in.

FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY migrations migrations
COPY reconciler reconciler
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .
# The virtual environment has no pip of its own: what runs needs no installer.
RUN python -m venv --without-pip /opt/reconciler \
 && pip --python /opt/reconciler/bin/python install --no-cache-dir "$(echo /wheel/*.whl)[postgres]"

FROM python:3.12-slim
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
# The daemon is process 1 and finishes the writes in flight when it is stopped: allow it a minute (docker stop -t 60).
STOPSIGNAL SIGTERM
ENTRYPOINT ["reconciler"]
CMD ["run"]
