"""Rights in Azure DevOps that the operator requires, and one check of one right."""
