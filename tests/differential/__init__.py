"""Gatehouse and Envoy's own `jwt_authn`, side by side in one Envoy with one configuration: what differs is either in
the table of `deviations` or a fault.

`python -m differential --help` (with `tests` and `scripts` on the path) runs it by hand; `test_differential.py` runs a
small part of it with every test run.
"""
