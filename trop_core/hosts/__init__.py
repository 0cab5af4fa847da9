"""What agents' hosts have in a project's files: where they look for servers, and how an entry is read or merged."""
