# One image for web server, worker and commands; which of them runs is said in compose.yaml.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

COPY requirements/runtime.txt requirements/
RUN pip install --require-hashes -r requirements/runtime.txt

RUN useradd --system --uid 10001 --home-dir /app goodword && install -d -o goodword -g goodword /data
COPY . .

ENV HOST=0.0.0.0 PORT=8000 VAR_DIR=/data
VOLUME /data
EXPOSE 8000
USER goodword

HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=4)"]
CMD ["gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
