"""The seams to everything outside. A port speaks the domain's words; HTTP, SDKs and storage formats stay behind it."""
