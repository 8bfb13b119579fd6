# syntax=docker/dockerfile:1
# What is installed comes from locks, each file by its hash; `make lock` writes them. With
# `--build-arg LOCK=requirements-clouds.lock` the image also holds what Bedrock and Vertex need.
FROM python:3.13.12-slim-trixie AS build
ARG LOCK=requirements-production.lock
WORKDIR /src
COPY requirements-build.lock requirements-production.lock requirements-clouds.lock ./
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.lock
RUN python -m venv /opt/rung \
 && /opt/rung/bin/pip install --no-cache-dir --require-hashes -r $LOCK
COPY pyproject.toml README.md LICENSE ./
COPY rung rung
COPY models models
COPY worker worker
COPY migrations migrations
COPY examples examples
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /opt/build/wheels . \
 && /opt/rung/bin/pip install --no-cache-dir --no-index --no-deps /opt/build/wheels/*.whl \
 && /opt/rung/bin/pip check

FROM python:3.13.12-slim-trixie
RUN useradd --create-home --uid 10001 rung
COPY --from=build /opt/rung /opt/rung
ENV PATH=/opt/rung/bin:$PATH PYTHONUNBUFFERED=1
# By number, so that a cluster can tell that it is not root.
USER 10001:10001
WORKDIR /home/rung
# Looks at whichever part the container runs; each look starts an interpreter, so it looks seldom.
HEALTHCHECK --interval=60s --timeout=30s --start-period=60s --retries=3 CMD ["rung", "alive"]
ENTRYPOINT ["rung"]
CMD ["--help"]
