# The server with its checkpoints. Runs on a CPU as it is, and on a GPU where one is passed in.
#   docker build -t unrolled .
#   docker run --rm -p 127.0.0.1:8000:8000 unrolled
FROM python:3.11-slim

# Where torch comes from. Empty: the default index, whose Linux build brings the CUDA libraries
# (several GB) and runs on both. For a small image give the address of PyTorch's own CPU index.
ARG TORCH_INDEX=""

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    NUMBA_CACHE_DIR=/tmp/numba

WORKDIR /app
COPY requirements/runtime.txt requirements/runtime.txt
RUN if [ -n "$TORCH_INDEX" ]; then \
        pip install --no-cache-dir --index-url "$TORCH_INDEX" \
            "$(sed -n 's/^\(torch==[^ ;]*\).*/\1/p' requirements/runtime.txt)"; \
    fi \
    && pip install --no-cache-dir --requirement requirements/runtime.txt

COPY LICENSE LICENSE
COPY models models
COPY backend backend
COPY frontend frontend
COPY checkpoints checkpoints

# Everything above belongs to root and is read. This user writes to /tmp, and to the folder of
# checkpoints that people bring: a volume that is mounted there takes over who owns it.
RUN useradd --system --no-create-home --uid 10001 unrolled
RUN install --directory --owner=10001 imports
USER unrolled

EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
CMD ["python", "-m", "backend", "serve", "--host", "0.0.0.0", "--port", "8000", "--checkpoints", "/app/checkpoints", "--device", "cpu"]
