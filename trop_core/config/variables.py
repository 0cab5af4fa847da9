"""Names of environment variables that mean something already.

A file of a stranger's repository names the variables that a group's ports are exported as. With PATH=5000 the shell
would run programs from a directory ``5000`` in that very repository, with BASH_ENV=5000 a file of that name; and other
names would break the session, or lead trop itself to another store.
"""

from __future__ import annotations

_SHELLS = (
    "argv bash_env bashopts bash_xtracefd cdpath editor egid env euid fignore fpath gid histfile home ifs inputrc "
    "mailpath manpath module_path oldpwd path ppid prompt_command ps0 ps1 ps2 ps3 ps4 psmodulepath pwd shell shellopts "
    "status tmpdir uid user username visual zdotdir"
)
_SEARCH_PATHS = (
    "cargo_home classpath gconv_path gem_home gem_path gopath goroot lua_cpath lua_path node_options node_path "
    "perl5lib perl5opt perllib pythonhome pythonpath pythonstartup pythonuserbase r_libs rubylib rubyopt"
)
_SETTINGS_FILES = (
    "aws_config_file docker_config git_askpass git_config git_config_global git_config_system git_dir git_editor "
    "git_exec_path git_external_diff git_index_file git_object_directory git_pager git_ssh git_ssh_command "
    "git_template_dir git_work_tree gnupghome kubeconfig makefiles makeflags npm_config_userconfig openssl_conf pager "
    "ssh_askpass ssh_auth_sock terminfo viminit xdg_config_dirs xdg_config_home xdg_data_dirs xdg_data_home"
)
_NAMES = frozenset(f"{_SHELLS} {_SEARCH_PATHS} {_SETTINGS_FILES}".split())
_PREFIXES = ("bash_func_", "dyld_", "fish_", "ld_", "trop_")


def means_something(name: str) -> bool:
    """Whether shells, widespread programs or trop itself read a variable of this name, in whatever case.

    zsh ties ``path`` to ``PATH``, which is why the case of the letters does not count. No such list is complete.
    """
    lowered = name.lower()
    return lowered in _NAMES or lowered.startswith(_PREFIXES)
