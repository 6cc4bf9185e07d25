"""What a WSGI server serves: `readout serve`, or `gunicorn --no-control-socket api.wsgi:app`."""

from api import create_app
from api.settings import SettingsError, load
from api.web import logs

try:
    settings = load()
except SettingsError as error:
    raise SystemExit(f"readout: {error}") from None

logs.configure(settings.log_level)
app = create_app(settings)
