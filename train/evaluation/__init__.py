"""What models are worth on labelled photographs, through the device's own code. `train evaluate` and `convert evaluate` share all of it."""
