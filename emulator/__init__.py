"""ARM and Azure DevOps on loopback: as strict as Azure where Azure's behaviour is known, switchable where not."""
