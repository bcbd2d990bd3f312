"""What several facets share: ARM documents, principals, observing many projects, role changes."""
