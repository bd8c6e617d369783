"""The probe: tries on a trial account what the vendors do not document, and removes what it has created."""
