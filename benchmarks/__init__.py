"""How fast Readout is, and how flat it stays as it grows: see README.md."""
