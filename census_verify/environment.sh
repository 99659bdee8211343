# Read by ./run and ./test: finds Python and makes .venv hold what the named lock files list.
# One stamp per lock file says what was installed last, so that a second start installs nothing.

refuse() {
    printf '%s\n' "$@" >&2
    exit 1
}

find_python() {
    for python in python3.11 python3.12 python3.13 python3 python; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            return
        fi
    done
    refuse "Cần Python 3.11 trở lên, máy này chưa có." "Python 3.11 or newer is needed and was not found."
}

make_venv() {
    if .venv/bin/python -c '' 2>/dev/null; then
        return
    fi
    find_python
    printf 'Đang tạo .venv … / Making .venv …\n'
    if ! "$python" -m venv --clear .venv >/dev/null 2>&1; then
        rm -rf .venv
        refuse "Python thiếu mô-đun venv (trên Debian, Ubuntu: apt install python3-venv)." \
            "Python lacks its venv module (on Debian and Ubuntu: apt install python3-venv)."
    fi
}

install() { # with the options "-r FILE …"
    if command -v uv >/dev/null 2>&1 &&
        uv pip install --quiet --python .venv/bin/python --require-hashes "$@" 2>/dev/null; then
        return
    fi
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes "$@"
}

prepare_environment() { # with the names of lock files
    # One at a time, where the machine has flock; the lock is the list of packages itself.
    exec 9<requirements.txt
    if command -v flock >/dev/null 2>&1; then
        flock 9
    fi
    make_venv
    changed=
    for list in "$@"; do
        if [ "$(cat ".venv/installed-$list" 2>/dev/null)" != "$(cksum <"$list")" ]; then
            changed="$changed -r $list"
        fi
    done
    if [ -n "$changed" ]; then
        printf 'Đang cài các gói … / Installing packages …\n'
        # shellcheck disable=SC2086  # names of our own files, without spaces
        install $changed || refuse \
            "Không cài được các gói: máy cần kết nối tới kho gói Python ở lần chạy đầu." \
            "The packages could not be installed: the first start needs a connection to a Python package index."
        for list in "$@"; do
            cksum <"$list" >".venv/installed-$list"
        done
    fi
    exec 9<&-
}
