"""The vendors' own clients as witnesses: what they can do with the sandbox, they can do with the vendor.

Each script runs in its client's own environment and uses nothing of this project but `steps`. JSM has no official
client of its own: its Integration Events API is documented as Opsgenie's, and its account API has none.
"""
