"""Runs the whole mesh as plain processes: Postgres, token issuer, bank, payment, Envoy with the gate.

`make up` and `make down` call it (`PYTHONPATH=scripts python3 -m mesh up`), and the end-to-end tests start private meshes
with it, on free ports in folders of their own. Standard library only: it runs before anything could be installed for it.
"""
