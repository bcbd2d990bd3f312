"""What stands behind the ports: the services' SDKs, git, stores."""
