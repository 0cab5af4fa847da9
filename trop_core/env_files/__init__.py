"""Files of variables (``.env``) that belong to somebody, and the block of trop's own that stands in one."""
