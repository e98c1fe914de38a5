"""Measures the gate against Envoy's own `jwt_authn` in one Envoy: `make bench`."""
