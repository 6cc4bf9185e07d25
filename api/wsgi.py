"""What a WSGI server serves: `readout serve`, or `gunicorn --no-control-socket api.wsgi:app`."""

import sys

from api import create_app
from api.settings import SettingsError, load
from api.web import logs

try:
    settings = load()
except SettingsError as error:
    for fault in error.faults:
        sys.stderr.write(f"readout: {fault}\n")
    sys.exit(4)  # By which gunicorn knows that to start it again is no use.

logs.configure(settings.log_level)
app = create_app(settings)
