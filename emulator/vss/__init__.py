"""HTTP of Azure DevOps, common to all routes: sign-in, versions, errors, headers, rate limits."""
