"""The ways in: a language server, tools for agents, and a command line. They translate, and decide nothing."""
