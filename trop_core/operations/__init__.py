"""One module a verb: a request, what is prepared for it, the plan, its execution, and the result."""
