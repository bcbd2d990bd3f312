"""Azure DevOps organizations over the `azure-devops` package, on one session with one policy of retries and hosts."""
