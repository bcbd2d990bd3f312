"""How Azure DevOps speaks HTTP, whatever the route: sign-in, versions, errors, headers, rate limits."""
