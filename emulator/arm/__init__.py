"""The ARM plane: Microsoft.DevOpsInfrastructure, long operations, and the little of ARM that stands around them."""
