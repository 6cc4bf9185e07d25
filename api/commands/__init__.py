"""What `readout` can do besides serving, a module for each purpose."""
