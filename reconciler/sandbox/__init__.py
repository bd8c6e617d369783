"""The vendors' APIs, simulated: for the demo, for trying things out and for tests. Needs no other product code.

`server.serve` starts it over HTTP; `app.Sandbox` is the same without sockets. Where to find what:

- `opsgenie/` and `pagerduty/` simulate one vendor each, with the same modules: `state` (what is stored), `shapes`
  (its JSON), `account` (settings, and who may see what), `rules` (what happens), `checks`, `reads` and `writes`
  (calls of the API), `routes` (the table of these calls), `api` (the whole vendor, what its users do by hand).
- `jsm/` is Jira Service Management, on Opsgenie's machine for alerts; `sync` is the move to it.
- `settings` and `faults` have the tables of what can be made to go wrong, `control` the table of control calls.
- `audit` computes from the final state what a reconciler lost, did twice or must not do.
"""
