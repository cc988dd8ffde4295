"""The production web server: `gunicorn -c config/gunicorn.py config.wsgi`."""

from config import settings

bind = f"{settings.HOST}:{settings.PORT}"
workers = settings.WEB_WORKERS
worker_class = "gthread"
threads = settings.WEB_THREADS
control_socket_disable = True
