# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/rung && /opt/rung/bin/pip install --no-cache-dir --upgrade pip
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY models models
COPY worker worker
COPY migrations migrations
COPY examples examples
# The lock pins everything that production needs (and more); it is used as constraints, so that the
# image holds neither the sandbox's servers nor the development tools.
RUN sed -E 's/ *\\$//; /^ *--hash/d' requirements.lock > /tmp/constraints.txt \
 && /opt/rung/bin/pip install --no-cache-dir --constraint /tmp/constraints.txt .

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 rung
COPY --from=build /opt/rung /opt/rung
ENV PATH=/opt/rung/bin:$PATH PYTHONUNBUFFERED=1
USER rung
WORKDIR /home/rung
ENTRYPOINT ["rung"]
CMD ["--help"]
