"""A private Dovecot's configuration: loopback only, an ordinary user's rights, nothing outside its directory.

Dovecot 2.4 changed the language of its configuration, so there are two texts; everything else is the same for both.
"""

from __future__ import annotations

import base64
import functools
import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from webmail.demo.certificates import Certificates, ensure_certificates
from webmail.demo.places import fits_socket, short_directory

# Debian keeps dovecot out of an ordinary user's PATH; Homebrew has it in its own sbin.
PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/opt/homebrew/bin")

# Longest socket name below Dovecot's base_dir: login/login-proxy-something and the like, with room to spare.
_LONGEST_SOCKET_NAME = 40

SPECIAL_USE = ("Drafts", "Sent", "Junk", "Trash", "Archive")


@dataclass(frozen=True, slots=True)
class DovecotPlan:
    """Everything needed to start one Dovecot in the foreground.

    Attributes:
        command: the command line; the process that runs it is Dovecot's master.
        user: the account to become first, or None to stay who we are.
        log: where Dovecot writes.
        ca: PEM file of the authority that signed its certificate.
    """

    command: tuple[str, ...]
    user: pwd.struct_passwd | None
    log: Path
    ca: Path


def find_dovecot() -> str | None:
    """Return the path of the `dovecot` program, or None where it is not installed."""
    return shutil.which("dovecot", path=os.pathsep.join((os.environ.get("PATH", os.defpath), *PLACES)))


@functools.cache
def dovecot_version(program: str) -> tuple[int, int]:
    """Return (major, minor) as `dovecot --version` says them.

    Raises:
        RuntimeError: the program doesn't answer like a Dovecot.
    """
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    numbers = answer.split(" ", 1)[0].split(".")
    if len(numbers) < 2 or not (numbers[0].isdigit() and numbers[1].isdigit()):
        raise RuntimeError(f"{program} --version answered {answer!r}; Dovecot 2.3 or newer is needed")
    return int(numbers[0]), int(numbers[1])


def plan_dovecot(
    directory: Path,
    users: Mapping[str, str],
    *,
    port: int,
    tls_port: int,
    max_connections: int = 10,
    certificates: Certificates | None = None,
    auth_port: int = 0,
    introspection_url: str = "",
) -> DovecotPlan:
    """Write the configuration and the users' file under `directory` and say how to start it.

    Args:
        directory: existing directory for this server alone; mail stays in it from one run to the next.
        users: address → password.
        port: plain-text port on 127.0.0.1.
        tls_port: implicit TLS port on 127.0.0.1.
        max_connections: how many connections one user may have from one address.
        certificates: what it shows; its own if None.
        auth_port: where it also checks log-ins for a mail server (Dovecot SASL); 0 for nowhere.
        introspection_url: where it asks whose an access token is (RFC 7662); "" for a server that takes none.

    Raises:
        RuntimeError: no Dovecot here.
    """
    program = find_dovecot()
    if program is None:
        raise RuntimeError("dovecot is not installed; on Debian or Ubuntu: apt-get install dovecot-imapd")
    directory = directory.resolve()
    user = _mail_user()
    home = _home(directory, user)
    run = home / "run"
    if not fits_socket(run, _LONGEST_SOCKET_NAME):
        run = short_directory("/tmp", directory, uids=(user.pw_uid,) if user else ())
    run.mkdir(mode=0o755, exist_ok=True)

    own = _own_certificates(home, certificates)
    passwords = home / "passwd"
    passwords.touch(mode=0o600)
    passwords.write_text("".join(f"{name}:{{PLAIN.b64}}{_base64(word)}\n" for name, word in users.items()))
    who = user or pwd.getpwuid(os.getuid())
    values: dict[str, object] = {
        "user": who.pw_name,
        "uid": who.pw_uid,
        "gid": who.pw_gid,
        "group": grp.getgrgid(who.pw_gid).gr_name,
        "home": home,
        "run": run,
        "passwords": passwords,
        "certificate": own.certificate,
        "key": own.key,
        "port": port,
        "tls_port": tls_port,
        "max_connections": max_connections,
        "mechanisms": "plain login xoauth2 oauthbearer" if introspection_url else "plain login",
    }
    if dovecot_version(program) < (2, 4):
        text = _SETTINGS_2_3
        values |= {"requests": "service_count", "unlimited": "0"}
    else:
        text = _SETTINGS_2_4
        values |= {"requests": "restart_request_count", "unlimited": "unlimited"}
    settings = home / "dovecot.conf"
    more = _SASL.format(port=auth_port) if auth_port else ""
    if introspection_url:
        more += _tokens(home, program, _INTROSPECTION.format(url=introspection_url))
    settings.write_text(text.format_map(values) + _SERVICES.format_map(values) + more)
    log = home / "dovecot.log"
    log.touch(mode=0o600)
    if user is not None:
        for path in (home, run, *home.iterdir()):
            os.chown(path, user.pw_uid, user.pw_gid)
    return DovecotPlan((program, "-F", "-c", str(settings)), user, log, own.ca)


def _mail_user() -> pwd.struct_passwd | None:
    """Whom to become: Dovecot serves no mail as root, so there it runs as Debian's own user for it, or nobody."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("dovecot")
    except KeyError:
        return pwd.getpwnam("nobody")


def _home(directory: Path, user: pwd.struct_passwd | None) -> Path:
    """Make and return the directory Dovecot lives in: inside `directory`, unless `user` can't get there.

    Root's home is closed to other users, so a clone in it keeps its mail in /var/tmp.
    """
    if user is None:
        home = directory / "dovecot"
    elif _passable(directory.parent, user):
        home = directory / "dovecot"
        directory.chmod(directory.stat().st_mode | 0o011)
    else:
        home = short_directory("/var/tmp", directory, uids=(user.pw_uid,))
    home.mkdir(mode=0o700, exist_ok=True)
    return home


def _passable(directory: Path, user: pwd.struct_passwd) -> bool:
    """Whether `user` may pass through `directory` and everything above it."""
    for path in (directory, *directory.parents):
        status = path.stat()
        bit = 0o100 if status.st_uid == user.pw_uid else 0o010 if status.st_gid == user.pw_gid else 0o001
        if not status.st_mode & bit:
            return False
    return True


def _own_certificates(home: Path, given: Certificates | None) -> Certificates:
    """Certificates inside `home`, where the user that Dovecot runs as can read them."""
    if given is None:
        return ensure_certificates(home)
    own = Certificates(home / given.ca.name, home / given.certificate.name, home / given.key.name)
    for source, copy in ((given.ca, own.ca), (given.certificate, own.certificate), (given.key, own.key)):
        copy.touch(mode=0o600)
        copy.write_bytes(source.read_bytes())
    return own


def _tokens(home: Path, program: str, settings: str) -> str:
    """What of the configuration lets it take access tokens; before 2.4 most of that is in a file of its own."""
    if dovecot_version(program) >= (2, 4):
        return f"oauth2 {{\n{settings}}}\n"
    file = home / "oauth2.conf"
    file.write_text(settings)
    return f"passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {file}\n}}\n"


def _base64(password: str) -> str:
    return base64.b64encode(password.encode()).decode()


_SETTINGS_2_3 = """\
# Written by webmail.demo.dovecot at each start; changes here are lost.
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
mail_home = {home}/mail/%u
mail_location = sdbox:~/sdbox
mail_plugins = quota
protocol imap {{
  mail_plugins = quota imap_quota imap_zlib
  mail_max_userip_connections = {max_connections}
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=2G
}}
passdb {{
  driver = passwd-file
  args = {passwords}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid}
}}
"""

_SETTINGS_2_4 = """\
# Written by webmail.demo.dovecot at each start; changes here are lost.
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
ssl_server_cert_file = {certificate}
ssl_server_key_file = {key}
auth_allow_cleartext = yes
mail_home = {home}/mail/%{{user}}
mail_driver = sdbox
mail_path = ~/sdbox
mail_plugins {{
  quota = yes
}}
protocol imap {{
  mail_plugins {{
    imap_quota = yes
  }}
  mail_max_userip_connections = {max_connections}
}}
quota "User quota" {{
  driver = count
  storage_size = 2G
}}
passdb passwd-file {{
  passwd_file_path = {passwords}
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
  }}
}}
"""

# The rest reads the same in both languages. A service is not chrooted, because an ordinary user can't; connections
# share processes, because a log-in of the tests shouldn't wait for a fork; a wrong password costs no growing delay,
# because all tests come from one address; and no fsync, because killing a process
# loses nothing that way and the demo promises nothing about a power cut.
_SERVICES = (
    """\
base_dir = {run}
state_dir = {run}
log_path = {home}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
mail_fsync = never
namespace inbox {{
  inbox = yes
  separator = /
"""
    + "".join(
        f"  mailbox {name} {{{{\n    special_use = \\{name}\n    auto = subscribe\n  }}}}\n" for name in SPECIAL_USE
    )
    + """\
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  {requests} = {unlimited}
  process_min_avail = 1
  client_limit = 2000
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service imap {{
  {requests} = 200
  process_min_avail = 1
  process_limit = 2000
}}
"""
)

_SASL = """\
service auth {{
  inet_listener submission {{
    port = {port}
  }}
}}
"""

_INTROSPECTION = """\
introspection_mode = post
introspection_url = {url}
username_attribute = username
active_attribute = active
active_value = true
"""
