"""What has happened before a README's commands are run, and which of them cannot be run in a test."""

from __future__ import annotations

Name = tuple[str, str]
"""A block, by its page and its own first line."""

_NETWORK = "installs from the network"
_NEOVIM = "needs Neovim; tests/editors/test_neovim.py runs it"

NOT_RUN: dict[Name, str] = {
    (
        "README.md",
        "python3 -m venv --upgrade-deps .venv && .venv/bin/pip install --quiet . && .venv/bin/trop reserve",
    ): (f"{_NETWORK}; .ci/run runs it"),
    (
        "README.md",
        (
            "python3 -m venv --upgrade-deps .venv && "
            ".venv/bin/pip install --quiet -c tests/constraints.txt --editable '.[dev]' && "
            ".venv/bin/python -m pytest -q -n auto"
        ),
    ): f"{_NETWORK}, and runs all tests; .ci/run runs it",
    (
        "README.md",
        "cd editors/vscode && npm ci --ignore-scripts && npm run package && code --install-extension dist/trop.vsix",
    ): f"needs VS Code, and {_NETWORK}; tests/editors/vscode builds and installs the package",
    ("README.md", "mkdir -p ~/.local/share/nvim/site/pack/trop/start"): _NEOVIM,
    ("README.md", ".venv/bin/python -m trop_server.reference"): (
        "writes into this checkout; tests here and in tests/editors tell whether that would change anything"
    ),
    (
        "editors/agents/README.md",
        'claude plugin marketplace add "$PWD/editors/agents" && claude plugin install trop@trop',
    ): "needs Claude Code; tests/editors/test_claude.py does the same",
    ("editors/neovim/README.md", "python3 -m venv --upgrade-deps .venv && .venv/bin/pip install --quiet ."): (
        f"{_NETWORK}; .ci/run runs the same of README.md"
    ),
    ("editors/neovim/README.md", "mkdir -p ~/.local/share/nvim/site/pack/trop/start"): _NEOVIM,
    (
        "editors/vscode/README.md",
        (
            "python3 -m venv --upgrade-deps .venv && .venv/bin/pip install --quiet . && mkdir -p ~/.local/bin && "
            'ln -sf "$PWD"/.venv/bin/trop "$PWD"/.venv/bin/trop-server ~/.local/bin/'
        ),
    ): f"needs VS Code, and {_NETWORK}",
    (
        "tests/README.md",
        ".venv/bin/python -m pytest -q -n auto                # all of them: 6 to 20 minutes on two cores",
    ): "runs all tests",
    (
        "tests/README.md",
        "TROP_TEST_SECONDS=900 .venv/bin/python -m pytest -q -s tests/editors/test_neovim.py -k random",
    ): "needs a Neovim, and takes as long as it says",
    ("tests/README.md", "export TROP_TEST_BY_HAND=1 TROP_TEST_VSCODE=~/.cache/trop-vscode"): (
        "needs VS Code, and measures for minutes"
    ),
    ("tests/README.md", "tests/editors/vscode/install ~/.cache/trop-vscode"): f"{_NETWORK}; .ci/run does the same",
    ("tests/README.md", "tests/mcp/clients/install ~/.cache/trop-clients"): f"{_NETWORK}; .ci/run does the same",
    ("tests/README.md", "tests/recipes/install ~/.cache/trop-recipes"): f"{_NETWORK}; .ci/run does the same",
    ("tests/benchmarks/README.md", ".venv/bin/python tests/benchmarks/run.py            # all of them"): (
        "measures for minutes"
    ),
    ("trop_core/database/migrations/README.md", ".venv/bin/python -m pytest -q -n auto tests/core/database"): (
        "runs other tests"
    ),
    ("trop_core/operations/looking/README.md", "$ trop status"): (
        "is shown as in a terminal, with a program of the directory; tests/cli/test_looks.py has both"
    ),
    ("trop_core/operations/starting/README.md", "$ trop run --check -- npm run dev"): (
        "needs a program of another directory on the port; tests/cli/test_run.py has one"
    ),
    (
        "trop_server/cli/README.md",
        "Add-Content $PROFILE 'trop completions powershell | Out-String | Invoke-Expression'",
    ): "needs PowerShell",
    ("trop_server/mcp/README.md", "claude mcp add trop -- trop-server --mcp"): "needs Claude Code",
}
"""The blocks of commands that are not run with the others, and why."""

_RESERVE = "trop reserve >/dev/null"
_WORKTREE = "git worktree add -q ../shop-login"

_CHANGE_THE_STORE = """
python3 - "$TROP_DATA_DIR/trop.db" <<'END'
import sqlite3, sys
store = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in {statements}:
    store.execute(statement)
store.close()
END
"""

_LISTEN = """
coproc LISTENER { exec python3 -c '
import os, socket, sys
held = socket.socket()
held.bind(("127.0.0.1", int(os.environ["TROP_PORT_MIN"])))
held.listen()
print("ready", flush=True)
sys.stdin.read()'; }
read -r _ <&"${LISTENER[0]}"
"""

SCENES: dict[Name, str] = {
    ("README.md", "mkdir -p ~/.local/bin"): "cd ~/trop",
    ("README.md", "$ cd ~/work/shop && trop reserve"): "test ~/.local/bin/trop -ef ~/trop/.venv/bin/trop",
    ("trop_core/config/README.md", "$ cat bad.yaml"): """
cat >bad.yaml <<'END'
projet: shop
reservations:
  services:
    web: {env: "X; rm -rf ."}
    api: {offset: 1, env: PATH}
END
""",
    (
        "trop_core/operations/assertions/README.md",
        "trop assert-reservation            # prints this directory's port, or ends with 1",
    ): f"mkdir ../api; {_RESERVE}; trop reserve --path ../api --tag web --allow-unrelated-path >/dev/null",
    ("trop_core/operations/assertions/README.md", "$ trop assert-data-dir --validate"): _CHANGE_THE_STORE.format(
        statements=(
            "PRAGMA ignore_check_constraints = ON",
            "UPDATE reservations SET port = 70000 WHERE port = 5000",
            "DROP INDEX idx_reservations_port",
        )
    ),
    ("trop_core/operations/cleanup/README.md", "$ trop autoclean"): (
        f"{_RESERVE}; {_WORKTREE}; (cd ../shop-login; {_RESERVE}); git worktree remove ../shop-login; "
        "mkdir ../wiki; (cd ../wiki; trop reserve --tag web >/dev/null)"
        + _CHANGE_THE_STORE.format(statements=["UPDATE reservations SET last_used_at = 1767604364 WHERE tag = 'web'"])
    ),
    ("trop_core/operations/exclusions/README.md", "$ cat trop.yaml"): (
        r"printf 'excluded_ports:\n  - 5001  # web\n  - 5003  # api\n' >trop.yaml"
    ),
    ("trop_core/operations/groups/README.md", '$ eval "$(trop autoreserve)"'): (
        f'{_RESERVE}; cp "$FIRST_YAML" trop.yaml; git add trop.yaml; '
        f"git -c user.name=A -c user.email=a@example.org commit -q -m services; {_WORKTREE}"
    ),
    ("trop_core/operations/looking/README.md", "$ trop port-info 5000 --include-occupancy"): (
        f"TROP_SKIP_OCCUPANCY_CHECK=1 {_RESERVE}; {_LISTEN}"
    ),
    ("trop_core/env_files/README.md", "$ cat .env"): "echo SECRET=x >.env",
    ("trop_core/operations/starting/README.md", "$ cat trop.yaml"): """
cat >trop.yaml <<'END'
reservations:
  services: {web: 3000, api: {}}
  environment:
    API_URL: "http://localhost:{port:api}/v1"
END
""",
    ("trop_core/operations/moving/README.md", "$ git worktree move ../shop-login ../shop-signin"): (
        f"{_RESERVE}; {_WORKTREE}; (cd ../shop-login; {_RESERVE}; trop reserve --tag api >/dev/null)"
    ),
    ("trop_core/operations/moving/README.md", "$ trop migrate --from ~/work/shop --to ~/src/shop"): (
        "mkdir -p ~/src/shop; (cd ~/src/shop; trop reserve >/dev/null)"
    ),
    ("trop_core/database/README.md", "$ trop backup ~/ports.bak"): _RESERVE,
    ("trop_core/operations/history/README.md", "$ trop release --recursive"): (
        f"{_RESERVE}; trop reserve --tag web >/dev/null"
    ),
    ("trop_core/operations/doctor/README.md", "$ trop doctor | grep -A1 '^[!✗]'"): (
        f'{_RESERVE}; install -m 600 /dev/null "$TROP_DATA_DIR/config.yaml"; '
        "echo 'porst: {min: 5000}' >\"$TROP_DATA_DIR/config.yaml\""
    ),
    ("trop_server/README.md", "python3 - <<'END_OF_PROGRAM'"): _RESERVE,
}
"""Commands that run before a block, and print nothing."""

ANSWERS: frozenset[Name] = frozenset({("trop_server/README.md", "python3 - <<'END_OF_PROGRAM'")})
"""The blocks whose output is shown as the block after them."""
